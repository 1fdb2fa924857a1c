//! Globus Compute.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// Globus Compute.
pub(super) enum Compute {}

impl Service for Compute {
    const NAME: &'static str = "compute";
    const RESOURCE_SERVER: &'static str = "funcx_service";
    const SCOPES: &'static str =
        "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        // The SDK looks for `message`, people who read the body for `reason`.
        let document = json!({
            "status": "Failed",
            "code": upper(problem.code),
            "message": problem.message,
            "reason": problem.message,
            "http_status_code": problem.status.as_u16(),
        });
        respond(problem, document)
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let (gare, status) = (challenge.gare, StatusCode::FORBIDDEN);
        let code = match gare.code() {
            "AuthorizationRequired" => "AUTH_POLICY_FAILED".to_owned(),
            code => upper(code),
        };
        // The words for people are in `reason`, and not in the requirement.
        let mut parameters = gare.parameters();
        if let Value::Object(fields) = &mut parameters {
            fields.remove("session_message");
        }
        let document = json!({
            "status": "Failed",
            "code": code,
            "reason": gare.message,
            "http_status_code": status.as_u16(),
            "authorization_parameters": parameters,
        });
        challenged(status, document)
    }
}
