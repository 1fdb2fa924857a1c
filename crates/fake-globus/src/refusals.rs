//! Refusals of real services, by id: a client can be led through every form.

use std::sync::LazyLock;

use serde::Deserialize;

/// The bodies that this project tests its parser with.
const CORPUS: &str = include_str!("../data/refusals.jsonl");

#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) http_status: u16,
    pub(super) content_type: String,
    pub(super) body: String,
}

/// All of them.
pub(super) static ALL: LazyLock<Vec<Refusal>> = LazyLock::new(|| {
    let rows = CORPUS.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>()
        .expect("each line is a refusal")
});

pub(super) fn find(id: &str) -> Option<&'static Refusal> {
    ALL.iter().find(|refusal| refusal.id == id)
}
