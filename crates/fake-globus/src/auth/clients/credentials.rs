//! The API of client secrets.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::error::{self, AuthError, Created};
use crate::auth::manager::Manager;
use crate::clock::written;
use crate::secret;
use crate::world::Shared;

use super::{Credential, managed};

#[derive(Debug, Deserialize)]
pub(in crate::auth) struct CredentialBody {
    credential: Fields,
}

#[derive(Debug, Deserialize)]
struct Fields {
    name: String,
}

impl Credential {
    /// The document. Only the response to the creation has the secret.
    fn document(&self, client: Uuid, shows_secret: bool) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "created": self.created,
            "client": client,
            "secret": shows_secret.then_some(&self.secret),
        })
    }
}

pub(in crate::auth) async fn list(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let state = world.state();
    let client = managed(&state, &caller.user, &id)?.id;
    let details = state.auth.clients.get(&client);
    let credentials = details.iter().flat_map(|details| &details.credentials);
    let documents = credentials.map(|credential| credential.document(client, false));
    Ok(Json(json!({"credentials": documents.collect::<Vec<_>>()})))
}

pub(in crate::auth) async fn create(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
    body: Result<Json<CredentialBody>, JsonRejection>,
) -> Result<Created, AuthError> {
    let name = error::body(body)?.credential.name;
    let mut state = world.state();
    let client = managed(&state, &caller.user, &id)?;
    if client.secret.is_none() {
        return Err(error::bad_request("a public client has no secret"));
    }
    let credential = Credential {
        id: Uuid::new_v4(),
        name,
        created: written(world.clock.now()),
        secret: secret::random(40),
    };
    let document = credential.document(client.id, true);
    let details = state.auth.clients.entry(client.id).or_default();
    details.credentials.push(credential);
    Ok(Created(Json(json!({"credential": document}))))
}

pub(in crate::auth) async fn delete(
    State(world): State<Shared>,
    caller: Manager,
    Path((id, credential)): Path<(String, String)>,
) -> Result<Json<Value>, AuthError> {
    let mut state = world.state();
    let client = managed(&state, &caller.user, &id)?.id;
    let credentials = &mut state.auth.clients.entry(client).or_default().credentials;
    let mut known = credentials.iter();
    let place = known.position(|known| known.id.to_string() == credential);
    let place = place.ok_or_else(|| error::not_found("no such credential"))?;
    let document = credentials.remove(place).document(client, false);
    Ok(Json(json!({"credential": document})))
}
