//! Globus Flows.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::secret;
use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// Globus Flows.
pub(super) enum Flows {}

impl Service for Flows {
    const NAME: &'static str = "flows";
    const RESOURCE_SERVER: &'static str = "flows.globus.org";
    const SCOPES: &'static str =
        "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        let error = json!({"code": upper(problem.code), "detail": problem.message});
        respond(
            problem,
            json!({"error": error, "debug_id": secret::random(32)}),
        )
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let gare = challenge.gare;
        let code = match gare.code() {
            // It has a word of its own for this.
            "AuthorizationRequired" => "AuthenticationPolicyRequired",
            code => code,
        };
        let document = json!({
            "code": code,
            "authorization_parameters": gare.parameters(),
            "error": {"code": upper(code), "detail": gare.message},
            "debug_id": secret::random(32),
        });
        challenged(StatusCode::FORBIDDEN, document)
    }
}
