//! Pages of lists, with an offset or with markers.

use serde_json::{Value, json};

use super::answer::Document;
use super::error::TransferError;

/// The most elements of a page.
const LIMIT: usize = 1_000;

/// The number of elements of a page with markers.
const MARKED: usize = 100;

/// The requested page of a list.
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Page {
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, TransferError> {
        Self::with_default(LIMIT, pairs)
    }

    /// The page that `pairs` request. `limit` is the default number of elements.
    pub(super) fn with_default(
        limit: usize,
        pairs: &[(String, String)],
    ) -> Result<Self, TransferError> {
        let number = |name: &str, default: usize| {
            let Some((_, value)) = pairs.iter().find(|(known, _)| known == name) else {
                return Ok(default);
            };
            let invalid = |_| TransferError::bad_request(format!("Invalid {name} '{value}'"));
            value.parse().map_err(invalid)
        };
        Ok(Self {
            limit: number("limit", limit)?.min(LIMIT),
            offset: number("offset", 0)?,
        })
    }

    pub(super) fn of(&self, kind: &str, documents: Vec<Value>) -> Document {
        let total = documents.len();
        let shown = documents.into_iter().skip(self.offset).take(self.limit);
        let shown: Vec<Value> = shown.collect();
        let mut document = json!({
            "DATA_TYPE": kind,
            "length": shown.len(),
            "limit": self.limit,
            "offset": self.offset,
            "total": total,
        });
        // Not in the macro, which would copy the list.
        document["DATA"] = shown.into();
        Document::ok(document)
    }
}

/// The page of `documents` after the marker in `pairs`. A marker is an index here.
pub(super) fn marked(
    kind: &str,
    pairs: &[(String, String)],
    documents: Vec<Value>,
) -> Result<Document, TransferError> {
    let marker = pairs.iter().find(|(name, _)| name == "marker");
    let marker: usize = match marker {
        Some((_, marker)) => marker
            .parse()
            .map_err(|_| TransferError::bad_request(format!("Invalid marker '{marker}'")))?,
        None => 0,
    };
    let next = marker.saturating_add(MARKED);
    let next = (next < documents.len()).then_some(next);
    let shown = documents.into_iter().skip(marker).take(MARKED);
    let mut document = json!({
        "DATA_TYPE": kind,
        "marker": marker,
        "next_marker": next,
    });
    document["DATA"] = shown.collect();
    Ok(Document::ok(document))
}
