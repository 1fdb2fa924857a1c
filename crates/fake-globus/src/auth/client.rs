//! The authentication of OAuth clients.

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::record::ViolationKind;
use crate::secret;
use crate::state::Client;
use crate::world::World;

use super::error::{self, AuthError};
use super::params::Params;

/// The client of a request, from HTTP Basic, or from `client_id` and `client_secret` in the form. A
/// native client sends its id only.
pub(super) fn authenticate(
    world: &World,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, AuthError> {
    let invalid_client = || error::oauth(StatusCode::UNAUTHORIZED, "invalid_client");
    let in_form = || {
        (
            params.first("client_id").to_owned(),
            params.first("client_secret").to_owned(),
        )
    };
    let (id, secret) = basic(headers).unwrap_or_else(in_form);
    let id: Uuid = id.parse().map_err(|_| invalid_client())?;
    let client = world
        .state()
        .clients
        .get(&id)
        .cloned()
        .ok_or_else(invalid_client)?;
    let further = world.state().auth.secrets(id);
    let right = match &client.secret {
        Some(own) => further
            .iter()
            .chain([own])
            .any(|own| secret::same(own, &secret)),
        None => secret.is_empty(),
    };
    if !right {
        world.violation(ViolationKind::WrongSecret, format!("of the client {id}"));
        return Err(invalid_client());
    }
    Ok(client)
}

/// The id and the secret of a `Basic` header. Both are form-encoded (RFC 6749, section 2.3.1).
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
