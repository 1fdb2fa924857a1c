//! The bodies of `tests/corpus`.

use serde::Deserialize;
use serde_json::Value;

pub const CORPUS: &str = concat!(
    include_str!("../../../tests/corpus/errors.jsonl"),
    include_str!("../../../tests/corpus/errors_2.jsonl")
);

#[derive(Deserialize)]
pub struct Row {
    pub id: String,
    pub body: String,
    /// The authorization parameters of each requirement in the body, or `some`.
    pub expect: Value,
    pub codes: Option<Vec<String>>,
}

pub fn rows() -> impl Iterator<Item = Row> {
    let rows = CORPUS.lines();
    rows.map(|line| serde_json::from_str(line).expect("a row of the corpus"))
}

/// The body of the row with this id.
pub fn body(id: &str) -> String {
    let row = rows().find(|row| row.id == id);
    row.unwrap_or_else(|| panic!("no row {id}")).body
}
