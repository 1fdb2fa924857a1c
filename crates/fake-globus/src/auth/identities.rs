//! Identities, and the consents of their users.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Map, Value, json};

use crate::clock::unix;
use crate::identity::{Identity, User};
use crate::service::{Bearer, Caller};
use crate::world::Shared;

use super::error::{self, AuthError};
use super::params::Params;
use super::{Auth, providers};

const VIEW_IDENTITY_SET: &str = "urn:globus:auth:scope:auth.globus.org:view_identity_set";

/// `GET /v2/oauth2/userinfo`. It needs the scope `openid`; further scopes add fields.
pub(super) async fn userinfo(caller: Bearer<Auth>) -> Result<Json<Value>, AuthError> {
    let has = |scope: &str| caller.scopes.iter().any(|held| held == scope);
    if !has("openid") {
        return Err(error::forbidden("the token does not have the scope openid"));
    }
    let primary = &caller.user.primary;
    let mut document =
        json!({"sub": primary.id(), "last_authentication": caller.session.latest().map(unix)});
    if let Value::Object(fields) = &mut document {
        fields.extend(claims(primary, has));
        if has(VIEW_IDENTITY_SET) {
            let set = caller
                .user
                .identities()
                .map(|one| member(one, &caller))
                .collect();
            fields.insert("identity_set".to_owned(), set);
        }
    }
    Ok(Json(document))
}

/// The claims of an identity for the scopes `profile` and `email`, in userinfo and in ID tokens.
pub(super) fn claims(identity: &Identity, has: impl Fn(&str) -> bool) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let domain = identity.domain();
    if has("profile") {
        claim("name", identity.people_name().into());
        claim("preferred_username", identity.username().into());
        claim("organization", domain.into());
        claim("identity_provider", json!(providers::id(domain)));
        claim("identity_provider_display_name", domain.into());
    }
    if has("email") {
        claim("email", identity.username().into());
    }
    claims
}

fn member(identity: &Identity, caller: &Caller) -> Value {
    let authenticated = caller.session.authentications.get(&identity.id());
    json!({
        "sub": identity.id(),
        "username": identity.username(),
        "name": identity.people_name(),
        "email": identity.username(),
        "organization": identity.domain(),
        "identity_provider": providers::id(identity.domain()),
        "identity_provider_display_name": identity.domain(),
        "last_authentication": authenticated.map(|found| unix(found.at)),
    })
}

/// The document of an identity.
pub(super) fn document(identity: &Identity) -> Value {
    json!({
        "id": identity.id(),
        "username": identity.username(),
        "name": identity.people_name(),
        "email": identity.username(),
        "organization": identity.domain(),
        "identity_provider": providers::id(identity.domain()),
        "identity_type": "login",
        "status": "used",
    })
}

/// `GET /v2/api/identities`, by the comma-separated `ids` or `usernames`.
pub(super) async fn search(
    State(world): State<Shared>,
    _: Bearer<Auth>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, AuthError> {
    let params = Params(pairs);
    let wanted: Vec<&str> = [params.first("ids"), params.first("usernames")]
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter(|name| !name.is_empty())
        .collect();
    let state = world.state();
    let all = state.users.iter().flat_map(User::identities);
    let found: Vec<Value> = all
        .filter(|identity| wanted.iter().any(|name| identity.is_named(name)))
        .map(document)
        .collect();
    Ok(Json(json!({ "identities": found })))
}

pub(super) async fn one(
    State(world): State<Shared>,
    _: Bearer<Auth>,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let state = world.state();
    let found = state
        .users
        .iter()
        .flat_map(User::identities)
        .find(|one| one.id().to_string() == id);
    let found = found.ok_or_else(|| error::not_found("no such identity"))?;
    Ok(Json(json!({"identity": document(found)})))
}

/// `GET /v2/api/identities/{id}/consents`: the caller's consents for the calling client, or for all
/// clients with `all=true`.
pub(super) async fn consents(
    State(world): State<Shared>,
    caller: Bearer<Auth>,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, AuthError> {
    if !caller
        .user
        .identities()
        .any(|identity| identity.id().to_string() == id)
    {
        let detail = "the identity does not belong to the caller";
        return Err(error::forbidden(detail));
    }
    let all = Params(pairs).first("all").eq_ignore_ascii_case("true");
    let of = (!all).then_some(caller.client);
    let documents = world.state().consents.documents(caller.user.id(), of);
    Ok(Json(json!({ "consents": documents })))
}
