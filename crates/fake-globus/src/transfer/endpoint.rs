//! What a collection is: its document, and the search for it. No policy guards these.

use std::sync::LazyLock;

use axum::extract::{Path, Query, State};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::collection::Collection;
use crate::service::Bearer;
use crate::stable_id::stable_id;
use crate::template;
use crate::world::Shared;

use super::Transfer;
use super::answer::{Answer, Document};
use super::error::TransferError;

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

static ENDPOINT: LazyLock<Map<String, Value>> =
    LazyLock::new(|| template::read(include_str!("../../data/transfer/endpoint.json")));

/// What differs from one collection to the next.
#[derive(Serialize)]
struct Endpoint<'a> {
    id: Uuid,
    display_name: &'a str,
    high_assurance: bool,
    authentication_timeout_mins: Option<u64>,
    requires_data_access_scope: bool,
    https_server: Option<&'a str>,
    owner_id: Uuid,
    owner_string: &'a str,
    #[serde(rename = "DATA")]
    servers: [Server; 1],
}

#[derive(Serialize)]
#[serde(tag = "DATA_TYPE", rename = "server")]
struct Server {
    id: u32,
    hostname: &'static str,
    port: u16,
    scheme: &'static str,
    uri: &'static str,
    subject: Option<&'static str>,
}

const OWNER: &str = "owner@globusid.org";

fn document(world: &Shared, collection: &Collection) -> Value {
    // Without a port for it, a collection has no such server.
    let https = world.https.url(world, collection.id).ok();
    let endpoint = Endpoint {
        id: collection.id,
        display_name: &collection.name,
        high_assurance: collection.high_assurance,
        authentication_timeout_mins: collection.demand.max_minutes(),
        requires_data_access_scope: collection.data_access,
        https_server: https.as_deref().map(|url| url.trim_end_matches('/')),
        owner_id: stable_id("identity", OWNER),
        owner_string: OWNER,
        servers: [Server {
            id: 1,
            hostname: "127.0.0.1",
            port: 443,
            scheme: "gsiftp",
            uri: "gsiftp://127.0.0.1:443",
            subject: None,
        }],
    };
    template::over(&ENDPOINT, &endpoint)
}
