//! Globus Search. It serves no endpoint yet.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::secret;
use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond};

/// Globus Search.
pub(super) enum Search {}

impl Service for Search {
    const NAME: &'static str = "search";
    const RESOURCE_SERVER: &'static str = "search.api.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:search.api.globus.org:";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn error(problem: &Problem<'_>) -> Response {
        let document = json!({
            "@datatype": "GError",
            "@version": "2017-09-01",
            "request_id": secret::random(32),
            "status": problem.status.as_u16(),
            "code": problem.code,
            "message": problem.message,
        });
        respond(problem, document)
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let (gare, status) = (challenge.gare, StatusCode::FORBIDDEN);
        let document = json!({
            "@datatype": "GError",
            "@version": "2017-09-01",
            "request_id": secret::random(32),
            "status": status.as_u16(),
            "code": gare.code(),
            "message": gare.message,
            "authorization_parameters": gare.parameters(),
        });
        challenged(status, document)
    }
}
