//! Globus Auth.

pub(super) mod authorize;
mod client;
mod clients;
mod decide;
mod dependent;
mod error;
pub(super) mod grant;
pub(super) mod id_token;
mod identities;
mod inspect;
mod manager;
mod page;
mod params;
mod policies;
mod projects;
mod providers;
mod requirement;
mod scopes;
mod state;
mod token;

use axum::response::{IntoResponse, Response};

use super::service::{Challenge, Endpoints, Problem, Service};

pub(super) use state::AuthState;

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
            .at("/v2/oauth2/authorize")
            .get("authorize", authorize::authorize)
            .at("/v2/web/decision")
            .post("decision", authorize::decision)
            .at("/v2/web/auth-code")
            .get("auth_code", authorize::auth_code)
            .at("/v2/oauth2/token")
            .post("oauth2_token", token::token)
            .at("/v2/oauth2/token/revoke")
            .post("oauth2_revoke_token", inspect::revoke)
            .at("/v2/oauth2/token/introspect")
            .post("oauth2_token_introspect", inspect::introspect)
            .at("/v2/oauth2/token/validate")
            .post("oauth2_validate_token", inspect::validate)
            .at("/v2/oauth2/userinfo")
            .get("userinfo", identities::userinfo)
            .post("userinfo", identities::userinfo)
            .at("/v2/api/identities")
            .get("get_identities", identities::search)
            .at("/v2/api/identities/{id}")
            .get("get_identity", identities::one)
            .at("/v2/api/identities/{id}/consents")
            .get("get_consents", identities::consents)
            .at("/v2/api/identity_providers")
            .get("get_identity_providers", providers::search)
            .at("/v2/api/policies")
            .get("get_policies", policies::list)
            .post("create_policy", policies::create)
            .at("/v2/api/policies/{id}")
            .get("get_policy", policies::one)
            .put("update_policy", policies::update)
            .delete("delete_policy", policies::delete)
            .at("/v2/api/projects")
            .get("get_projects", projects::list)
            .post("create_project", projects::create)
            .at("/v2/api/projects/{id}")
            .get("get_project", projects::one)
            .put("update_project", projects::update)
            .delete("delete_project", projects::delete)
            .at("/v2/api/clients")
            .get("get_clients", clients::list)
            .post("create_client", clients::create)
            .at("/v2/api/clients/{id}")
            .get("get_client", clients::one)
            .put("update_client", clients::update)
            .delete("delete_client", clients::delete)
            .at("/v2/api/clients/{id}/credentials")
            .get("get_client_credentials", clients::credentials)
            .post("create_client_credential", clients::create_credential)
            .at("/v2/api/clients/{id}/credentials/{credential}")
            .delete("delete_client_credential", clients::delete_credential)
            .at("/v2/api/scopes")
            .get("get_scopes", scopes::list)
            .at("/v2/api/clients/{id}/scopes")
            .post("create_scope", scopes::create)
            .at("/v2/api/scopes/{id}")
            .get("get_scope", scopes::one)
            .put("update_scope", scopes::update)
            .delete("delete_scope", scopes::delete)
            .at("/.well-known/openid-configuration")
            .get("get_openid_configuration", id_token::configuration)
            .at("/jwk.json")
            .get("get_jwk", id_token::keys)
    }

    fn error(problem: &Problem<'_>) -> Response {
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
