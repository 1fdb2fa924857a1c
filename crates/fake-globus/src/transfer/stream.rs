//! Stream access points, the ends of tunnels. Each collection has one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::collection::Collection;
use crate::service::Bearer;
use crate::stable_id::stable_id;
use crate::state::State as ServerState;
use crate::world::Shared;

use super::Transfer;
use super::answer::{Answer, Document};
use super::error::TransferError;
use super::jsonapi::document;

/// The id of a collection's access point.
fn id(collection: &Collection) -> Uuid {
    stable_id("stream access point", &collection.id.to_string())
}

/// The collection whose access point has this id.
pub(super) fn collection<'s>(
    state: &'s ServerState,
    point: &str,
) -> Result<&'s Collection, TransferError> {
    let mut collections = state.collections.iter().map(|served| &served.collection);
    let found = collections.find(|collection| id(collection).to_string() == point);
    found.ok_or_else(|| {
        let message = format!("No stream access point with id '{point}' was found");
        TransferError::new(StatusCode::NOT_FOUND, "NotFound", message)
    })
}

fn resource(collection: &Collection) -> Value {
    let endpoint = stable_id("endpoint", &collection.id.to_string());
    json!({
        "type": "StreamAccessPoint",
        "id": id(collection),
        "attributes": {
            "advertised_owner": "owner@globusid.org",
            "contact_email": null,
            "contact_info": null,
            "department": null,
            "description": null,
            "display_name": collection.name,
            "info_link": null,
            "keywords": null,
            "organization": null,
            "tlsftp_server": "tlsftp://127.0.0.1:443",
        },
        "relationships": {"host_endpoint": {"data": {"type": "Endpoint", "id": endpoint}}},
    })
}

pub(super) async fn list(State(world): State<Shared>, _: Bearer<Transfer>) -> Document {
    let state = world.state();
    let collections = state.collections.iter();
    let resources = collections.map(|served| resource(&served.collection));
    Document::ok(document(resources.collect(), None))
}

pub(super) async fn one(
    State(world): State<Shared>,
    _: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let resource = resource(collection(&state, &id)?);
    Ok(Document::ok(document(resource, None)))
}
