//! The search for collections. It needs no particular session.

use std::collections::BTreeSet;

use axum::extract::{Query, State};
use serde_json::{Value, json};

use crate::collection::Collection;
use crate::service::{Bearer, Caller};
use crate::state::State as ServerState;
use crate::world::Shared;

use super::answer::{Answer, Document};
use super::error::TransferError;
use super::page::Page;
use super::{Transfer, endpoint};

/// The default of the parameter `limit`.
const DEFAULT: usize = 100;

/// `GET endpoint_search`: the collections that match all filters. Without filters, all collections.
pub(super) async fn search(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let page = Page::with_default(DEFAULT, &pairs)?;
    let filters = pairs.iter().filter(|(name, _)| name.starts_with("filter_"));
    let state = world.state();
    let used = used(&state, &caller);
    let mut found: Vec<&Collection> = state.collections.iter().map(|c| &c.collection).collect();
    for (name, value) in filters {
        let fits: Box<dyn Fn(&Collection) -> bool> = match name.as_str() {
            "filter_fulltext" => {
                let text = value.to_lowercase();
                Box::new(move |collection| {
                    let name = collection.name.to_lowercase();
                    text.split_whitespace().all(|word| name.contains(word))
                })
            }
            "filter_entity_type" => Box::new(move |_| value == endpoint::ENTITY_TYPE),
            "filter_owner_id" => Box::new(move |_| value.parse() == Ok(endpoint::owner_id())),
            "filter_non_functional" => Box::new(move |_| value == "0"),
            "filter_scope" => match value.as_str() {
                "all" => Box::new(|_| true),
                "recently-used" => Box::new(|collection| used.contains(&collection.id.to_string())),
                // The owner of all collections cannot log in, and shares none.
                "my-endpoints" | "my-gcp-endpoints" | "shared-by-me" | "shared-with-me"
                | "administered-by-me" | "managed-by-me" | "in-use" => Box::new(|_| false),
                _ => return Err(invalid(name, value)),
            },
            _ => {
                return Err(TransferError::bad_request(format!(
                    "Invalid parameter {name}"
                )));
            }
        };
        found.retain(|collection| fits(collection));
    }
    let shown = found.iter().skip(page.offset).take(page.limit);
    let documents = shown.map(|collection| endpoint::document(&world, &state.transfer, collection));
    let documents: Vec<Value> = documents.collect();
    Ok(Document::ok(json!({
        "DATA_TYPE": "endpoint_list",
        "has_next_page": page.offset + documents.len() < found.len(),
        "limit": page.limit,
        "offset": page.offset,
        "DATA": documents,
    })))
}

fn invalid(name: &str, value: &str) -> TransferError {
    TransferError::bad_request(format!("Invalid {name} '{value}'"))
}

/// The ids of the collections in the caller's tasks.
fn used(state: &ServerState, caller: &Caller) -> BTreeSet<String> {
    let own = state.tasks.iter();
    let own = own.filter(|task| task.owner == caller.user.id());
    let both = own.flat_map(|task| {
        ["source_endpoint_id", "destination_endpoint_id"].map(|name| task.field(name).to_owned())
    });
    both.collect()
}
