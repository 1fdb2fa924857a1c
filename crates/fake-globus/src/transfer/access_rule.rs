//! Access rules of collections. They are stored and returned, and have no effect on access.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::set;
use crate::world::Shared;

use super::access::Guarded;
use super::answer::{Answer, Document};
use super::error::{self, TransferError};

/// An access rule of a collection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccessRule {
    id: Uuid,
    collection: Uuid,
    #[serde(flatten)]
    fields: Fields,
}

/// The fields of an access rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fields {
    principal_type: PrincipalType,
    /// The id of an identity or a group. Empty for the other types.
    #[serde(default)]
    principal: String,
    path: String,
    permissions: Permissions,
    #[serde(default)]
    expiration_date: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PrincipalType {
    Identity,
    Group,
    AllAuthenticatedUsers,
    Anonymous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Permissions {
    R,
    Rw,
}

/// The fields of a rule that can be changed.
#[derive(Debug, Deserialize)]
pub(super) struct Changes {
    permissions: Option<Permissions>,
    #[serde(default)]
    expiration_date: Option<String>,
}

type Ids = Path<(String, String)>;

impl AccessRule {
    fn document(&self) -> Value {
        json!({
            "DATA_TYPE": "access",
            "id": self.id,
            "principal_type": self.fields.principal_type,
            "principal": self.fields.principal,
            "path": self.fields.path,
            "permissions": self.fields.permissions,
            "expiration_date": self.fields.expiration_date,
            "role_id": null,
            "role_type": null,
        })
    }
}

/// `GET endpoint/{id}/access_list`.
pub(super) async fn list(State(world): State<Shared>, Guarded { served, .. }: Guarded) -> Document {
    let id = served.collection.id;
    let state = world.state();
    let own = state.transfer.access_rules.iter();
    let own = own.filter(|rule| rule.collection == id);
    let documents: Vec<Value> = own.map(AccessRule::document).collect();
    Document::ok(json!({
        "DATA_TYPE": "access_list",
        "endpoint": id,
        "length": documents.len(),
        "DATA": documents,
    }))
}

/// `POST endpoint/{id}/access`.
pub(super) async fn create(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    body: Result<Json<Fields>, JsonRejection>,
) -> Answer {
    let fields = error::body(body)?;
    let has_id = matches!(
        fields.principal_type,
        PrincipalType::Identity | PrincipalType::Group
    );
    if has_id && fields.principal.parse::<Uuid>().is_err() {
        let message = format!("Invalid principal '{}'", fields.principal);
        return Err(TransferError::bad_request(message));
    }
    if !fields.path.starts_with('/') || !fields.path.ends_with('/') {
        let message = "The path of an access rule must begin and end with a slash";
        return Err(TransferError::bad_request(message));
    }
    let collection = served.collection.id;
    let mut state = world.state();
    let mut rules = state.transfer.access_rules.iter();
    let is_known = rules.any(|rule| {
        rule.collection == collection
            && rule.fields.principal_type == fields.principal_type
            && rule.fields.principal == fields.principal
            && rule.fields.path == fields.path
    });
    if is_known {
        let message = "An access rule for this principal and path exists already";
        return Err(TransferError::new(StatusCode::CONFLICT, "Exists", message));
    }
    let id = Uuid::new_v4();
    state.transfer.access_rules.push(AccessRule {
        id,
        collection,
        fields,
    });
    let document = json!({
        "DATA_TYPE": "access_create_result",
        "code": "Created",
        "message": "Access rule created successfully.",
        "access_id": id,
    });
    Ok(Document(StatusCode::CREATED, document))
}

/// `GET endpoint/{id}/access/{rule}`.
pub(super) async fn one(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    Path((_, rule)): Ids,
) -> Answer {
    let state = world.state();
    let place = place(&state.transfer.access_rules, served.collection.id, &rule)?;
    Ok(Document::ok(state.transfer.access_rules[place].document()))
}

/// `PUT endpoint/{id}/access/{rule}`: changes the permissions or the expiration date.
pub(super) async fn update(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    Path((_, rule)): Ids,
    body: Result<Json<Changes>, JsonRejection>,
) -> Answer {
    let changes = error::body(body)?;
    let mut state = world.state();
    let rules = &mut state.transfer.access_rules;
    let place = place(rules, served.collection.id, &rule)?;
    let fields = &mut rules[place].fields;
    set(&mut fields.permissions, changes.permissions);
    if changes.expiration_date.is_some() {
        fields.expiration_date = changes.expiration_date;
    }
    Ok(done("Updated", &rule, "updated"))
}

/// `DELETE endpoint/{id}/access/{rule}`.
pub(super) async fn delete(
    State(world): State<Shared>,
    Guarded { served, .. }: Guarded,
    Path((_, rule)): Ids,
) -> Answer {
    let mut state = world.state();
    let rules = &mut state.transfer.access_rules;
    let place = place(rules, served.collection.id, &rule)?;
    rules.remove(place);
    Ok(done("Deleted", &rule, "deleted"))
}

fn done(code: &str, rule: &str, what: &str) -> Document {
    Document::ok(json!({
        "DATA_TYPE": "result",
        "code": code,
        "message": format!("Access rule '{rule}' {what} successfully"),
    }))
}

fn place(rules: &[AccessRule], collection: Uuid, id: &str) -> Result<usize, TransferError> {
    let mut rules = rules.iter();
    let found = rules.position(|rule| rule.collection == collection && rule.id.to_string() == id);
    found.ok_or_else(|| {
        let message = format!("No access rule '{id}' was found on endpoint '{collection}'");
        TransferError::new(StatusCode::NOT_FOUND, "AccessRuleNotFound", message)
    })
}
