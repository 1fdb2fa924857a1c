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

use axum::response::{IntoResponse, Response};

use super::service::{Challenge, Endpoints, Problem, Service};

/// The path of the page that shows a code to copy.
const AUTH_CODE: &str = "v2/web/auth-code";

/// Globus Auth.
pub(super) enum Auth {}

impl Service for Auth {
    const NAME: &'static str = "auth";
    const RESOURCE_SERVER: &'static str = "auth.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:auth.globus.org:";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .get("authorize", "/v2/oauth2/authorize", authorize::authorize)
            .post("decision", "/v2/web/decision", authorize::decision)
            .get("auth_code", "/v2/web/auth-code", authorize::auth_code)
            .post("oauth2_token", "/v2/oauth2/token", token::token)
            .post(
                "oauth2_revoke_token",
                "/v2/oauth2/token/revoke",
                inspect::revoke,
            )
            .post(
                "oauth2_token_introspect",
                "/v2/oauth2/token/introspect",
                inspect::introspect,
            )
            .post(
                "oauth2_validate_token",
                "/v2/oauth2/token/validate",
                inspect::validate,
            )
            .get("userinfo", "/v2/oauth2/userinfo", identities::userinfo)
            .post("userinfo", "/v2/oauth2/userinfo", identities::userinfo)
            .get("get_identities", "/v2/api/identities", identities::search)
            .get("get_identity", "/v2/api/identities/{id}", identities::one)
            .get(
                "get_consents",
                "/v2/api/identities/{id}/consents",
                identities::consents,
            )
            .post(
                "create_native_app_instance",
                "/v2/api/clients",
                client::register,
            )
            .delete("delete_client", "/v2/api/clients/{id}", client::delete)
            .get(
                "get_openid_configuration",
                "/.well-known/openid-configuration",
                id_token::configuration,
            )
            .get("get_jwk", "/jwk.json", id_token::keys)
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        error::of(problem).into_response()
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        error::challenge(challenge.gare)
    }

    fn owns(path: &str) -> bool {
        let prefixes = [
            "/v2/oauth2/",
            "/v2/api/",
            "/v2/web/",
            "/.well-known/",
            "/jwk.json",
        ];
        prefixes.iter().any(|prefix| path.starts_with(prefix))
    }
}
