//! What a collection is: its document, and the search for it. No policy guards these.

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use crate::collection::Collection;
use crate::service::Bearer;
use crate::stable_id::stable_id;
use crate::world::Shared;

use super::Transfer;
use super::answer::{Answer, Document};
use super::error::TransferError;
use super::operation::HOME;

pub(super) async fn one(
    State(world): State<Shared>,
    _: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let served = world.collection(&id);
    let served = served.ok_or_else(|| TransferError::no_endpoint(&id))?;
    Ok(Document::ok(document(&world, &served.collection)))
}

/// By words in the name; all collections where none are given.
pub(super) async fn search(
    State(world): State<Shared>,
    _: Bearer<Transfer>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Document {
    let mut pairs = pairs.iter();
    let text = pairs.find(|(name, _)| name == "filter_fulltext");
    let text = text.map_or_else(String::new, |(_, text)| text.to_lowercase());
    let fits = |collection: &&Collection| {
        let name = collection.name.to_lowercase();
        text.split_whitespace().all(|word| name.contains(word))
    };
    let state = world.state();
    let collections = state.collections.iter().map(|served| &served.collection);
    let found: Vec<Value> = collections
        .filter(fits)
        .map(|collection| document(&world, collection))
        .collect();
    Document::ok(json!({
        "DATA_TYPE": "endpoint_list",
        "DATA": found,
        "has_next_page": false,
        "limit": 100,
        "offset": 0,
    }))
}

fn document(world: &Shared, collection: &Collection) -> Value {
    let https = world.https.url(world, collection.id).ok();
    let https = https.as_deref().map(|url| url.trim_end_matches('/'));
    let minutes = collection.demand.max_age.map(|age| age.as_secs() / 60);
    let owner = stable_id("identity", "owner@globusid.org");
    json!({
        "DATA_TYPE": "endpoint",
        "id": collection.id,
        "display_name": collection.name,
        "entity_type": "GCSv5_mapped_collection",
        "canonical_name": null,
        "description": null,
        "default_directory": HOME,
        "public": true,
        "is_globus_connect": false,
        "gcs_version": "5.4.80",
        "https_server": https,
        "high_assurance": collection.high_assurance,
        "authentication_timeout_mins": minutes,
        "requires_data_access_scope": collection.data_access,
        "owner_id": owner,
        "owner_string": "owner@globusid.org",
        "non_functional": false,
        "my_effective_roles": [],
        "DATA": [{"DATA_TYPE": "server", "hostname": "127.0.0.1", "port": 443, "scheme": "gsiftp"}],
    })
}
