//! The bodies of `tests/corpus`, one a line.

use serde_json::Value;

pub const CORPUS: &str = concat!(
    include_str!("../../../tests/corpus/errors.jsonl"),
    include_str!("../../../tests/corpus/errors_2.jsonl")
);

pub fn rows() -> impl Iterator<Item = Value> {
    let rows = CORPUS.lines();
    rows.map(|line| serde_json::from_str(line).expect("a row of the corpus"))
}
