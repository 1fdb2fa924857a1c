//! The documents of collections, and changes to them. Reading a document needs no particular
//! session.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::collection::Collection;
use crate::service::Bearer;
use crate::stable_id::stable_id;
use crate::template;
use crate::world::Shared;

use super::access::Guarded;
use super::answer::{Answer, Document};
use super::error::{self, TransferError};
use super::{Transfer, TransferState};

pub(super) async fn one(
    State(world): State<Shared>,
    _: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let served = world.collection(&id);
    let served = served.ok_or_else(|| TransferError::no_endpoint(&id))?;
    let state = world.state();
    Ok(Document::ok(document(
        &world,
        &state.transfer,
        &served.collection,
    )))
}

/// The fields of a collection's document that can be changed.
const CHANGEABLE: [&str; 15] = [
    "display_name",
    "description",
    "organization",
    "department",
    "keywords",
    "contact_email",
    "contact_info",
    "info_link",
    "user_message",
    "user_message_link",
    "default_directory",
    "public",
    "force_encryption",
    "force_verify",
    "disable_verify",
];

type Changes = Result<Json<Map<String, Value>>, JsonRejection>;

fn updated() -> Document {
    Document::ok(json!({
        "DATA_TYPE": "result",
        "code": "Updated",
        "message": "Endpoint updated successfully",
    }))
}

/// `PUT endpoint/{id}`. Every user who satisfies the collection may change its document.
pub(super) async fn update(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    body: Changes,
) -> Answer {
    let mut changes = error::body(body)?;
    changes.retain(|name, _| name != "DATA_TYPE");
    if let Some(other) = changes
        .keys()
        .find(|name| !CHANGEABLE.contains(&name.as_str()))
    {
        let message = format!("The field '{other}' of an endpoint cannot be changed");
        return Err(TransferError::bad_request(message));
    }
    let mut state = world.state();
    if let Some(name) = changes.remove("display_name") {
        let name = name.as_str().filter(|name| !name.is_empty());
        let name = name
            .ok_or_else(|| TransferError::bad_request("display_name must be a non-empty string"))?;
        if let Some(collection) = state.collection_mut(served.collection.id) {
            name.clone_into(&mut collection.name);
        }
    }
    let kept = state.transfer.changes.entry(served.collection.id);
    kept.or_default().extend(changes);
    Ok(updated())
}

/// `PUT endpoint/{id}/subscription`.
pub(super) async fn subscribe(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    body: Changes,
) -> Answer {
    let mut changes = error::body(body)?;
    let subscription = match changes.remove("subscription_id") {
        Some(Value::String(given)) if given == "DEFAULT" => Some(stable_id("subscription", OWNER)),
        Some(Value::String(given)) => {
            let invalid = |_| format!("Invalid subscription_id '{given}'");
            let id: Result<Uuid, _> = given.parse().map_err(invalid);
            Some(id.map_err(TransferError::bad_request)?)
        }
        Some(Value::Null) => None,
        _ => return Err(TransferError::bad_request("A subscription_id is required")),
    };
    let transfer = &mut world.state().transfer;
    transfer.change(served.collection.id, SUBSCRIPTION, json!(subscription));
    Ok(updated())
}

/// `PUT endpoint/{id}/subscription_admin_verified`.
pub(super) async fn verify(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    body: Changes,
) -> Answer {
    const NAME: &str = "subscription_admin_verified";
    let verified = error::body(body)?.remove(NAME);
    let verified = verified.and_then(|value| value.as_bool());
    let verified = verified
        .ok_or_else(|| TransferError::bad_request(format!("{NAME} must be true or false")))?;
    let mut state = world.state();
    let id = served.collection.id;
    let changes = state.transfer.changes.get(&id);
    let subscription = changes.and_then(|changes| changes.get(SUBSCRIPTION));
    if subscription.is_none_or(Value::is_null) {
        let message =
            format!("The collection must be associated with a subscription to set {NAME}");
        return Err(TransferError::bad_request(message));
    }
    state.transfer.change(id, NAME, verified.into());
    Ok(updated())
}

const SUBSCRIPTION: &str = "subscription_id";

/// The type of all collections.
pub(super) const ENTITY_TYPE: &str = "GCSv5_mapped_collection";

static ENDPOINT: LazyLock<Map<String, Value>> =
    LazyLock::new(|| template::read(include_str!("../../data/transfer/endpoint.json")));

/// The fields that differ between collections. The template has the others.
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

/// The username of the owner of all collections.
const OWNER: &str = "owner@globusid.org";

/// The id of the identity that owns all collections.
pub(super) fn owner_id() -> Uuid {
    stable_id("identity", OWNER)
}

/// The document of a collection, with the changes that were made to it.
pub(super) fn document(world: &Shared, kept: &TransferState, collection: &Collection) -> Value {
    // `None` if no port is free for it.
    let https = world.https.url(world, collection.id).ok();
    let endpoint = Endpoint {
        id: collection.id,
        display_name: &collection.name,
        high_assurance: collection.high_assurance,
        authentication_timeout_mins: collection.demand.max_minutes(),
        requires_data_access_scope: collection.data_access,
        https_server: https.as_deref().map(|url| url.trim_end_matches('/')),
        owner_id: owner_id(),
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
    let mut document = template::over(&ENDPOINT, &endpoint);
    if let (Value::Object(fields), Some(changes)) =
        (&mut document, kept.changes.get(&collection.id))
    {
        fields.extend(changes.clone());
    }
    document
}
