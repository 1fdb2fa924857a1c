//! The dependent token grant: a service exchanges the token that it was called with for tokens of
//! other services.

use axum::http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::scope;
use crate::state::{Client, Grant, Via};
use crate::world::World;

use super::error::{self, AuthError};
use super::grant;
use super::params::Params;

pub(super) const GRANT: &str = "urn:globus:auth:grant_type:dependent_token";

/// Tokens for the scopes that the user consented to below the scopes of the exchanged token: for
/// all of them, or for the requested ones.
pub(super) fn tokens(world: &World, service: &Client, params: &Params) -> Result<Value, AuthError> {
    if service.secret.is_none() {
        let status = StatusCode::BAD_REQUEST;
        return Err(error::oauth(status, "unauthorized_client"));
    }
    let asked = scope::parse(params.first("scope"));
    let asked = asked.map_err(|problem| error::explained("invalid_scope", &problem))?;
    let now = world.clock.now();
    let mut state = world.state();
    let token = state.tokens.get(params.first("token")).filter(|token| {
        let is_for_it = token.resource_server == service.id.to_string();
        is_for_it && !token.is_refresh && token.is_active(now)
    });
    let Some(token) = token.cloned() else {
        let status = StatusCode::BAD_REQUEST;
        return Err(error::oauth(status, "invalid_grant"));
    };
    let grant = |own: &String| {
        let via = token.grant.via_scope(own.clone());
        let mut allowed = state.consents.dependencies(token.grant.user, &via);
        if !asked.is_empty() {
            allowed.retain(|scope| asked.iter().any(|asked| asked.name == scope.name));
        }
        Grant {
            id: Uuid::new_v4(),
            client: service.id,
            user: token.grant.user,
            session: token.grant.session.clone(),
            scopes: allowed,
            offline: params.first("access_type") == "offline",
            via: Some(via),
        }
    };
    let grants: Vec<Grant> = token.scopes.iter().map(grant).collect();
    let allowed = |name: &str| {
        let mut scopes = grants.iter().flat_map(|grant| &grant.scopes);
        scopes.any(|scope| scope.name == name)
    };
    let missing = asked.iter().map(|scope| scope.name.as_str());
    let missing: Vec<&str> = missing.filter(|name| !allowed(name)).collect();
    if !missing.is_empty() {
        return Err(error::dependent_consent_required(&missing));
    }
    let mut documents: Vec<Value> = Vec::new();
    for grant in &grants {
        let issued = grant::issue(world, &mut state, grant);
        documents.extend(issued.iter().map(grant::Issued::document));
    }
    Ok(documents.into())
}

impl Grant {
    /// The consents to the dependent scopes of `scope`.
    fn via_scope(&self, scope: String) -> Via {
        let above = self.via.clone().unwrap_or(Via {
            client: self.client,
            scopes: Vec::new(),
        });
        let scopes = above.scopes.into_iter().chain([scope]).collect();
        Via { scopes, ..above }
    }
}
