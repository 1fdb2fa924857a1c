//! Pages of lists, with `per_page` and `marker`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::service::{Rejection, rejection};

use super::Flows;

/// The requested page of a list.
pub(super) struct Page {
    size: usize,
    first: usize,
}

impl Page {
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, Rejection> {
        let number = |names: &[&str], default: usize, least: usize| {
            let mut pairs = pairs.iter();
            let Some((name, value)) = pairs.find(|(known, _)| names.contains(&known.as_str()))
            else {
                return Ok(default);
            };
            let number = value.parse().ok().filter(|number| *number >= least);
            number.ok_or_else(|| {
                let message = format!("{name} must not be \"{value}\"");
                rejection::<Flows>(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "UnprocessableEntity",
                    &message,
                )
            })
        };
        Ok(Self {
            // A client that follows pages of size 0 would never end.
            size: number(&["per_page", "limit"], 20, 1)?,
            first: number(&["marker"], 0, 0)?,
        })
    }

    /// The document of the page.
    pub(super) fn of(&self, name: &str, documents: Vec<Value>) -> Value {
        let next = self.first.saturating_add(self.size);
        let more = next < documents.len();
        let shown = documents.into_iter().skip(self.first).take(self.size);
        json!({
            name: shown.collect::<Vec<_>>(),
            "limit": self.size,
            "has_next_page": more,
            "marker": more.then(|| next.to_string()),
        })
    }
}
