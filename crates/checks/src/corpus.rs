//! The bodies of `tests/corpus`, one a line.

use serde_json::Value;

pub const CORPUS: &str = concat!(
    include_str!("../../../tests/corpus/errors.jsonl"),
    include_str!("../../../tests/corpus/errors_2.jsonl")
);

/// The ids of the rows whose requirement is not found yet, or is another.
pub const NOT_YET: [&str; 5] = [
    "gcs-403-r110-params-empty-object",
    "auth-dependent-consent-two-errors",
    "flows-list-runs-one-inactive",
    "flows-run-failed-cause-json-string",
    "any-consent-required-scope-empty-string",
];

pub fn rows() -> impl Iterator<Item = Value> {
    let rows = CORPUS.lines();
    rows.map(|line| serde_json::from_str(line).expect("a row of the corpus"))
}
