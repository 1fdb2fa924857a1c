//! Which program calls, and the registration of further ones.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity::User;
use crate::record::ViolationKind;
use crate::secret;
use crate::state::Client;
use crate::world::{Shared, World};

use super::error::{self, AuthError};
use super::params::Params;

/// The client of a request, by HTTP Basic or by `client_id` and `client_secret` in the form. A native client has only
/// its id to show.
pub(super) fn authenticate(
    world: &World,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, AuthError> {
    let refused = || error::oauth(StatusCode::UNAUTHORIZED, "invalid_client");
    let in_form = || {
        (
            params.first("client_id").to_owned(),
            params.first("client_secret").to_owned(),
        )
    };
    let (id, secret) = basic(headers).unwrap_or_else(in_form);
    let id: Uuid = id.parse().map_err(|_| refused())?;
    let client = world
        .state()
        .clients
        .get(&id)
        .cloned()
        .ok_or_else(refused)?;
    let right = match &client.secret {
        Some(own) => secret::same(own, &secret),
        None => secret.is_empty(),
    };
    if !right {
        world.violation(ViolationKind::WrongSecret, format!("of the client {id}"));
        return Err(refused());
    }
    Ok(client)
}

/// The id and the secret in a `Basic` header, each of them decoded as from a form (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    let spaces = text.replace('+', " ");
    percent_decode_str(&spaces).decode_utf8_lossy().into_owned()
}

/// `POST /v2/api/clients`: a native client registers an instance of itself, with a secret.
pub(super) async fn register(
    State(world): State<Shared>,
    Json(body): Json<Value>,
) -> Result<Response, AuthError> {
    let wanted = body.get("client").cloned().unwrap_or_default();
    let template = wanted.get("template_id");
    if template.is_none_or(Value::is_null) {
        let what = "fake-globus creates instances of native clients, and no other clients";
        return Err(error::not_implemented(what));
    }
    let template = template
        .and_then(Value::as_str)
        .and_then(|id| id.parse::<Uuid>().ok());
    let mut state = world.state();
    let Some(template) = template
        .and_then(|id| state.clients.get(&id))
        .filter(|client| client.secret.is_none())
    else {
        return Err(error::forbidden(
            "template_id is not the id of a native client",
        ));
    };
    let secret = secret::random(40);
    let name = wanted
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or(&template.name)
        .to_owned();
    let client = Client {
        id: Uuid::new_v4(),
        name,
        secret: Some(secret.clone()),
        redirect_uris: template.redirect_uris.clone(),
    };
    let answer = json!({
        "client": {"id": client.id, "name": client.name, "public_client": false, "template_id": template.id},
        "included": {"client_credential": {"id": Uuid::new_v4(), "client": client.id, "secret": secret, "name": null}},
    });
    state.users.push(User::of_client(client.id));
    state.clients.insert(client.id, client);
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `DELETE /v2/api/clients/{id}`: a client removes itself, and its tokens end with it.
pub(super) async fn delete(
    State(world): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, AuthError> {
    let client = authenticate(&world, &headers, &Params(Vec::new()));
    let client = client.map_err(|_| error::unauthorized())?;
    if id.parse() != Ok(client.id) || client.secret.is_none() {
        return Err(error::forbidden("a client may delete itself only"));
    }
    let mut state = world.state();
    state.clients.remove(&client.id);
    state.users.retain(|user| user.id() != client.id);
    state
        .tokens
        .values_mut()
        .filter(|token| token.grant.client == client.id)
        .for_each(|token| token.revoked = true);
    Ok(Json(json!({"client": {"id": client.id, "name": client.name}})).into_response())
}
