//! Each row of `SECURITY.md` names a test of its rule, and an attack that fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of all functions without parameters below a directory. Tests are among them.
fn functions(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let is_built = path.file_name().is_some_and(|name| name == "target");
        if path.is_dir() && !is_built {
            functions(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            let after = text.split("fn ").skip(1);
            let named = after.filter_map(|rest| rest.split_once("()"));
            names.extend(named.map(|(name, _)| name.to_owned()));
        }
    }
}

/// The rows of the tables, without their heads.
fn rows(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.filter(|row| !row.starts_with("| attack | defence |") && !row.starts_with("| --- |"))
        .collect()
}

/// Whether a name looks like that of a test.
fn is_test_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.matches('_').count() > 2 && name.chars().all(is_part)
}

#[checks::test]
fn each_row_names_its_tests_and_its_attack() {
    let mut tests = BTreeSet::new();
    for directory in ["src", "tests", "crates"] {
        functions(&root().join(directory), &mut tests);
    }
    let mut attacks = BTreeSet::new();
    functions(&root().join("tests/attacks"), &mut attacks);
    // Attacks on features that the root package does not turn on.
    let mut web = BTreeSet::new();
    for directory in ["web", "store"] {
        let directory = format!("crates/globus-login/tests/login/{directory}");
        functions(&root().join(directory), &mut web);
    }
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("text");
    let rows = rows(&text);
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let quoted = row.split('`').skip(1).step_by(2);
        let (known, unknown): (Vec<&str>, Vec<&str>) = quoted.partition(|it| tests.contains(*it));
        let tried = known.iter().filter(|name| attacks.remove(**name)).count();
        let is_tried = tried == 1 && known.len() > 1;
        let is_tried_there = tried == 0 && known.iter().all(|name| web.contains(*name));
        assert!(is_tried || is_tried_there, "{tried} attacks: {row}");
        assert_eq!(row.matches("Attack: `").count(), tried, "{row}");
        let gone = unknown.iter().find(|name| is_test_name(name));
        assert_eq!(gone, None, "no such test: {row}");
    }
    let left = attacks.iter().find(|name| is_test_name(name));
    assert_eq!(left, None, "no row names this attack");
}
