//! What a collection is: its document, and the search for it. No policy guards these.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::collection::Collection;
use crate::stable_id::stable_id;

use super::call::{Call, answer};
use super::error::TransferError;
use super::operation::HOME;

pub(super) async fn one(call: Call, Path(id): Path<String>) -> Response {
    answer(call, async |world, _| {
        let served = world.collection(&id);
        let served = served.ok_or_else(|| TransferError::no_endpoint(&id))?;
        Ok((StatusCode::OK, document(&served.collection)))
    })
    .await
}

/// By words in the name; all collections where none are given.
pub(super) async fn search(call: Call, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let text = pairs
        .iter()
        .find(|(name, _)| name == "filter_fulltext")
        .map_or("", |(_, text)| text);
    let text = text.to_lowercase();
    let fits = |collection: &&Collection| {
        let name = collection.name.to_lowercase();
        text.split_whitespace().all(|word| name.contains(word))
    };
    answer(call, async |world, _| {
        let collections = world.collections.iter().map(|served| &served.collection);
        let found: Vec<Value> = collections.filter(fits).map(document).collect();
        let list = json!({
            "DATA_TYPE": "endpoint_list",
            "DATA": found,
            "has_next_page": false,
            "limit": 100,
            "offset": 0,
        });
        Ok((StatusCode::OK, list))
    })
    .await
}

fn document(collection: &Collection) -> Value {
    let minutes = collection.demand.max_age.map(|age| age.as_secs() / 60);
    let owner = stable_id("the owner of all collections");
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
