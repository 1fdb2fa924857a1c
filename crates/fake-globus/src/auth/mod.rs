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
mod kept;
mod manager;
mod page;
mod params;
mod policies;
mod projects;
mod providers;
mod requirement;
mod scopes;
mod token;

use axum::response::{IntoResponse, Response};

use super::service::{Challenge, Endpoints, Problem, Service};

pub(super) use kept::Kept;

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
            .get(
                "get_identity_providers",
                "/v2/api/identity_providers",
                providers::search,
            )
            .get("get_policies", "/v2/api/policies", policies::list)
            .post("create_policy", "/v2/api/policies", policies::create)
            .get("get_policy", "/v2/api/policies/{id}", policies::one)
            .put("update_policy", "/v2/api/policies/{id}", policies::update)
            .delete("delete_policy", "/v2/api/policies/{id}", policies::delete)
            .get("get_projects", "/v2/api/projects", projects::list)
            .post("create_project", "/v2/api/projects", projects::create)
            .get("get_project", "/v2/api/projects/{id}", projects::one)
            .put("update_project", "/v2/api/projects/{id}", projects::update)
            .delete("delete_project", "/v2/api/projects/{id}", projects::delete)
            .get("get_clients", "/v2/api/clients", clients::list)
            .post("create_client", "/v2/api/clients", clients::create)
            .get("get_client", "/v2/api/clients/{id}", clients::one)
            .put("update_client", "/v2/api/clients/{id}", clients::update)
            .delete("delete_client", "/v2/api/clients/{id}", clients::delete)
            .get(
                "get_client_credentials",
                "/v2/api/clients/{id}/credentials",
                clients::credentials,
            )
            .post(
                "create_client_credential",
                "/v2/api/clients/{id}/credentials",
                clients::create_credential,
            )
            .delete(
                "delete_client_credential",
                "/v2/api/clients/{id}/credentials/{credential}",
                clients::delete_credential,
            )
            .get("get_scopes", "/v2/api/scopes", scopes::list)
            .post(
                "create_scope",
                "/v2/api/clients/{id}/scopes",
                scopes::create,
            )
            .get("get_scope", "/v2/api/scopes/{id}", scopes::one)
            .put("update_scope", "/v2/api/scopes/{id}", scopes::update)
            .delete("delete_scope", "/v2/api/scopes/{id}", scopes::delete)
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
