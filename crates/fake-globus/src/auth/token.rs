//! `POST /v2/oauth2/token`: the grants of OAuth.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::record::ViolationKind;
use crate::secret;
use crate::session::Session;
use crate::state::{Client, Code, Grant};
use crate::world::{Shared, World};

use super::error::{self, AuthError};
use super::params::Params;
use super::{client, dependent, grant};

pub(super) async fn token(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AuthError> {
    let params = Params(pairs);
    let client = client::authenticate(&world, &headers, &params)?;
    let document = match params.first("grant_type") {
        "authorization_code" => with_code(&world, &client, &params),
        "refresh_token" => with_refresh_token(&world, &client, &params),
        dependent::GRANT => dependent::tokens(&world, &client, &params),
        "client_credentials" => for_itself(&world, &client, &params),
        _ => Err(error::oauth(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
        )),
    }?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(document)).into_response())
}

fn invalid_grant() -> AuthError {
    error::oauth(StatusCode::BAD_REQUEST, "invalid_grant")
}

fn with_code(world: &World, client: &Client, params: &Params) -> Result<Value, AuthError> {
    let now = world.clock.now();
    let mut state = world.state();
    let code = match state.codes.get_mut(params.first("code")) {
        Some(code) if !code.used => {
            // A code takes one attempt, right or wrong.
            code.used = true;
            code.clone()
        }
        used => {
            let used = used.map(|code| code.grant.id);
            state
                .tokens
                .values_mut()
                .filter(|token| Some(token.grant.id) == used)
                .for_each(|token| token.revoke(now));
            drop(state);
            world.violation(ViolationKind::CodeReused, format!("by {}", client.name));
            return Err(invalid_grant());
        }
    };
    if let Some(violation) = misuse(&code, client, params) {
        drop(state);
        world.violation(violation, format!("by {}", client.name));
        return Err(invalid_grant());
    }
    if now >= code.expires {
        return Err(invalid_grant());
    }
    let issued = grant::issue(world, &mut state, &code.grant);
    let mut document = grant::document(world, &state, &code.grant, &issued, code.nonce.as_deref());
    if let (Value::Object(fields), Some(echo)) = (&mut document, code.state) {
        fields.insert("state".to_owned(), echo.into());
    }
    drop(state);
    world.log().counts.code_grants += 1;
    Ok(document)
}

fn misuse(code: &Code, client: &Client, params: &Params) -> Option<ViolationKind> {
    if code.grant.client != client.id || code.redirect_uri != params.first("redirect_uri") {
        return Some(ViolationKind::WrongCode);
    }
    let verifier = params.first("code_verifier");
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let right = match &code.challenge {
        Some(challenge) => (43..=128).contains(&verifier.len()) && secret::same(challenge, &proof),
        None => verifier.is_empty(),
    };
    (!right).then_some(ViolationKind::WrongVerifier)
}

fn with_refresh_token(world: &World, client: &Client, params: &Params) -> Result<Value, AuthError> {
    let secret = params.first("refresh_token");
    let mut state = world.state();
    let token = state
        .tokens
        .get(secret)
        .filter(|token| token.is_refresh && token.grant.client == client.id)
        .cloned();
    let Some(token) = token else {
        drop(state);
        world.violation(
            ViolationKind::WrongRefreshToken,
            format!("by {}", client.name),
        );
        return Err(invalid_grant());
    };
    if token.revoked {
        return Err(invalid_grant());
    }
    let issued = grant::renew(world, &mut state, secret, &token);
    // A refresh returns no ID token.
    let quiet = Grant {
        scopes: Vec::new(),
        ..token.grant
    };
    let document = grant::document(world, &state, &quiet, &[issued], None);
    drop(state);
    world.log().counts.refresh_grants += 1;
    Ok(document)
}

fn for_itself(world: &World, client: &Client, params: &Params) -> Result<Value, AuthError> {
    if client.secret.is_none() {
        return Err(error::oauth(StatusCode::BAD_REQUEST, "unauthorized_client"));
    }
    let scopes = grant::known_scopes(params.first("scope"))
        .map_err(|problem| error::explained("invalid_scope", &problem))?;
    let now = world.clock.now();
    let mut state = world.state();
    state.consents.grant(client.id, client.id, &scopes, now);
    let session = Arc::new(Session::of_one(client.id, now));
    let grant = Grant {
        id: Uuid::new_v4(),
        client: client.id,
        user: client.id,
        session,
        scopes,
        offline: false,
        via: None,
    };
    let issued = grant::issue(world, &mut state, &grant);
    let document = grant::document(world, &state, &grant, &issued, None);
    drop(state);
    world.log().counts.client_grants += 1;
    Ok(document)
}
