//! Globus Groups.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// Globus Groups.
pub(super) enum Groups {}

impl Service for Groups {
    const NAME: &'static str = "groups";
    const RESOURCE_SERVER: &'static str = "groups.api.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:groups.api.globus.org:";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        let error = json!({"code": upper(problem.code), "detail": problem.message});
        respond(problem, json!({"errors": [error]}))
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let gare = challenge.gare;
        let status = if gare.is_consent() {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::FORBIDDEN
        };
        let document = json!({
            "code": gare.code(),
            "detail": gare.message,
            "authorization_parameters": gare.parameters(),
        });
        challenged(status, document)
    }
}
