//! Token introspection, validation and revocation.

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::clock::unix;
use crate::state::Token;
use crate::world::{Shared, World};

use super::client;
use super::error::{self, AuthError};
use super::params::Params;

type Pairs = Form<Vec<(String, String)>>;

/// `POST /v2/oauth2/token/revoke`. The response is the same for an unknown token. A token of
/// another client is not revoked.
pub(super) async fn revoke(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(pairs): Pairs,
) -> Result<Response, AuthError> {
    let params = Params(pairs);
    let client = client::authenticate(&world, &headers, &params)?;
    let now = world.clock.now();
    let mut state = world.state();
    let token = state.tokens.get_mut(params.first("token"));
    if let Some(token) = token.filter(|token| token.grant.client == client.id) {
        token.revoke(now);
    }
    Ok(Json(json!({"active": false})).into_response())
}

pub(super) async fn validate(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(pairs): Pairs,
) -> Result<Response, AuthError> {
    let params = Params(pairs);
    client::authenticate(&world, &headers, &params)?;
    let now = world.clock.now();
    let active = world
        .state()
        .tokens
        .get(params.first("token"))
        .is_some_and(|token| token.is_active(now));
    Ok(Json(json!({"active": active})).into_response())
}

/// `POST /v2/oauth2/token/introspect`. It needs a client secret: a native client cannot prove its
/// identity.
pub(super) async fn introspect(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(pairs): Pairs,
) -> Result<Response, AuthError> {
    let params = Params(pairs);
    let client = client::authenticate(&world, &headers, &params)?;
    if client.secret.is_none() {
        let status = StatusCode::UNAUTHORIZED;
        return Err(error::oauth(status, "unauthorized_client"));
    }
    let now = world.clock.now();
    let token = world
        .state()
        .tokens
        .get(params.first("token"))
        .filter(|token| token.is_active(now))
        .cloned();
    let Some(token) = token else {
        return Ok(Json(json!({"active": false})).into_response());
    };
    Ok(Json(about(&world, &token, params.first("include"))).into_response())
}

/// The document of an active token.
fn about(world: &World, token: &Token, include: &str) -> Value {
    let state = world.state();
    let Some(user) = state.user(token.grant.user) else {
        return json!({"active": false});
    };
    let mut document = json!({
        "active": true,
        "token_type": "Bearer",
        "scope": token.scopes.join(" "),
        "client_id": token.grant.client,
        "sub": user.id(),
        "username": user.primary.username(),
        "name": user.primary.people_name(),
        "email": user.primary.username(),
        "aud": [token.resource_server, token.grant.client],
        "iss": world.base.trim_end_matches('/'),
        "iat": unix(token.issued),
        "nbf": unix(token.issued),
        "exp": token.expires.map(unix),
    });
    if let Value::Object(fields) = &mut document {
        if include.contains("session_info") {
            let session = &token.grant.session;
            let each = session.authentications.iter().map(|(id, authentication)| {
                let domain = user.identity(*id).map(|identity| identity.domain().to_owned());
                let amr = if authentication.mfa { json!(["mfa"]) } else { Value::Null };
                let found = json!({"auth_time": unix(authentication.at), "amr": amr, "acr": null, "idp": domain});
                (id.to_string(), found)
            });
            let all: Map<String, Value> = each.collect();
            fields.insert(
                "session_info".to_owned(),
                json!({"session_id": session.id, "authentications": all}),
            );
        }
        if include.contains("identity_set") {
            fields.insert(
                "identity_set".to_owned(),
                user.identities().map(|one| json!(one.id())).collect(),
            );
        }
    }
    document
}
