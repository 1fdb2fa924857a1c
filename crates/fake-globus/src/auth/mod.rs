//! Globus Auth.

pub(super) mod authorize;
mod client;
mod decide;
mod error;
pub(super) mod grant;
pub(super) mod id_token;
mod identities;
mod inspect;
mod page;
mod params;
mod requirement;
mod token;

use axum::Router;
use axum::routing::{delete, get, post};

use super::world::Shared;

/// The name that Auth has as a resource server.
const AUTH: &str = "auth.globus.org";

/// The path of the page that shows a code to copy.
const AUTH_CODE: &str = "v2/web/auth-code";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/oauth2/authorize", get(authorize::authorize))
        .route("/v2/web/decision", post(authorize::decision))
        .route("/v2/web/auth-code", get(authorize::auth_code))
        .route("/v2/oauth2/token", post(token::token))
        .route("/v2/oauth2/token/revoke", post(inspect::revoke))
        .route("/v2/oauth2/token/introspect", post(inspect::introspect))
        .route("/v2/oauth2/token/validate", post(inspect::validate))
        .route(
            "/v2/oauth2/userinfo",
            get(identities::userinfo).post(identities::userinfo),
        )
        .route("/v2/api/identities", get(identities::search))
        .route("/v2/api/identities/{id}", get(identities::one))
        .route(
            "/v2/api/identities/{id}/consents",
            get(identities::consents),
        )
        .route("/v2/api/clients", post(client::register))
        .route("/v2/api/clients/{id}", delete(client::delete))
        .route(
            "/.well-known/openid-configuration",
            get(id_token::configuration),
        )
        .route("/jwk.json", get(id_token::keys))
}
