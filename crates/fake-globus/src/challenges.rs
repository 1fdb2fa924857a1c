//! Recorded challenges of real services, by id, for tests of clients.

use std::sync::LazyLock;

use serde::Deserialize;

/// The response bodies that this project tests its parser with.
const CORPUS: &str = include_str!("../data/challenges.jsonl");

/// A recorded challenge.
#[derive(Debug, Deserialize)]
pub(super) struct Challenge {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) http_status: u16,
    pub(super) content_type: String,
    pub(super) body: String,
}

/// All recorded challenges.
pub(super) static ALL: LazyLock<Vec<Challenge>> = LazyLock::new(|| {
    let rows = CORPUS.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>()
        .expect("each line is a challenge")
});

pub(super) fn find(id: &str) -> Option<&'static Challenge> {
    ALL.iter().find(|challenge| challenge.id == id)
}
