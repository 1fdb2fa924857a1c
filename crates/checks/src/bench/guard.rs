//! Holding the counts to the figures in `benches/figures.toml`, which a change has to edit knowingly.
//!
//! `GUARD=check` compares, and takes no time measurements; `GUARD=write` writes what was counted.

use std::collections::BTreeMap;
use std::{env, fs};

const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/figures.toml");

/// How far instructions may be off: compilers differ, by so much of all, and by so many in how they lay things out.
/// Allocations may not.
const TOLERANCE: f64 = 0.08;
const LAYOUT: f64 = 30.0;

/// Instructions and allocations of one run.
pub type Counts = BTreeMap<String, (f64, i64)>;

/// Whether only the counts are asked for; then they are checked, or written.
pub fn was_asked(bench: &str, counts: impl FnOnce() -> Counts) -> bool {
    let counts = || {
        let all = counts().into_iter();
        all.map(|(name, counts)| (format!("{bench}: {name}"), counts))
            .collect()
    };
    match env::var("GUARD").as_deref() {
        Ok("check") => check(bench, &counts()),
        Ok("write") => write(bench, counts()),
        _ => return false,
    }
    true
}

fn read() -> Counts {
    let text = fs::read_to_string(FIGURES).unwrap_or_default();
    let figure = |line: &str| {
        let (name, figures) = line.strip_prefix('"')?.split_once("\" = [")?;
        let (instructions, allocations) = figures.strip_suffix(']')?.split_once(", ")?;
        Some((
            name.to_owned(),
            (instructions.parse().ok()?, allocations.parse().ok()?),
        ))
    };
    text.lines().filter_map(figure).collect()
}

fn write(bench: &str, counts: Counts) {
    let mut all = read();
    all.retain(|name, _| !is_of(bench, name));
    all.extend(counts);
    let mut text = "# What the benches count of ours: instructions and allocations of one run; of a layer, what it adds. `.ci/run guard`\n# holds a change to them; GUARD=write cargo bench --bench detection --bench good_path counts them anew.\n".to_owned();
    for (name, (instructions, allocations)) in all {
        text.push_str(&format!(
            "\"{name}\" = [{instructions:.0}, {allocations}]\n"
        ));
    }
    fs::write(FIGURES, text).unwrap();
}

fn is_of(bench: &str, name: &str) -> bool {
    name.strip_prefix(bench)
        .is_some_and(|rest| rest.starts_with(": "))
}

fn check(bench: &str, counts: &Counts) {
    assert!(!counts.is_empty(), "nothing was counted");
    let figures = read();
    let gone = figures
        .keys()
        .filter(|name| is_of(bench, name) && !counts.contains_key(*name));
    let mut worse: Vec<_> = gone
        .map(|name| format!("{name}: was not counted"))
        .collect();
    for (name, (instructions, allocations)) in counts {
        let Some((most, allowed)) = figures.get(name) else {
            worse.push(format!("{name}: no figure"));
            continue;
        };
        if *instructions > most * (1.0 + TOLERANCE) + LAYOUT {
            worse.push(format!(
                "{name}: {instructions:.0} instructions, where {most:.0} were"
            ));
        }
        if allocations > allowed {
            worse.push(format!(
                "{name}: {allocations} allocations, where {allowed} were"
            ));
        }
    }
    for line in &worse {
        eprintln!("costs more than before: {line}");
    }
    assert!(
        worse.is_empty(),
        "edit benches/figures.toml if that is meant"
    );
    println!("{} figures hold", counts.len());
}
