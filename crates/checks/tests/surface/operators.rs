//! `src/guide/operators.md`: the events of `globus-login`, which few tests can bring about.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// `LEVEL event`, and the fields.
type Form = (String, Vec<String>);

/// The events in the sources below a directory.
fn events(directory: &Path, found: &mut BTreeMap<String, Form>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            events(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            found.extend(text.split("tracing::").skip(1).filter_map(event));
        }
    }
}

/// The event of a macro that stands at the beginning of `text`.
fn event(text: &str) -> Option<(String, Form)> {
    let (level, text) = text.split_once("!(")?;
    if !["error", "warn", "info", "debug", "trace"].contains(&level) {
        return None;
    }
    let mut parts = text.splitn(3, '"');
    let (fields, name) = (parts.next()?, parts.next()?);
    let fields = fields.split(',').map(str::trim);
    let fields = fields.filter(|field| !field.is_empty()).map(|field| {
        let name = field.split('=').next().unwrap_or_default();
        name.trim().trim_start_matches(['%', '?']).to_owned()
    });
    let what = format!("{} event", level.to_uppercase());
    Some((name.to_owned(), (what, fields.collect())))
}

fn documented() -> BTreeMap<String, Form> {
    let page = include_str!("../../../../src/guide/operators.md");
    let (_, rest) = page.split_once("`globus-login`").expect("its table");
    let (table, _) = rest.split_once("\n# ").expect("its end");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let [name, what, fields, _] = cells[..] else {
            panic!("{row}");
        };
        let fields = fields.split('`').skip(1).step_by(2).map(str::to_owned);
        let name = name.trim_end_matches('`').to_owned();
        (name, (what.to_owned(), fields.collect()))
    })
    .collect()
}

#[checks::test]
fn page_for_operators_lists_the_events_of_globus_login() {
    let mut found = BTreeMap::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    events(&crates.join("globus-login/src"), &mut found);
    assert!(found.len() > 5, "{found:#?}");
    assert_eq!(found, documented());
}
