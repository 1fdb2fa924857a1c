//! The action providers of Globus. They serve no endpoint yet.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::service::{Challenge, Endpoints, Problem, Service, challenged};

/// The action providers, which Flows calls.
pub(super) enum Actions {}

impl Service for Actions {
    const NAME: &'static str = "actions";
    const RESOURCE_SERVER: &'static str = "actions.globus.org";
    const SCOPES: &'static str = "https://auth.globus.org/scopes/actions.globus.org/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn error(problem: &Problem<'_>) -> Response {
        let document = json!({
            "status": problem.status.as_u16(),
            "error": problem.code,
            "description": problem.message,
        });
        (problem.status, Json(document)).into_response()
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let mut document = challenge.gare.document();
        document["description"] = challenge.gare.message.as_str().into();
        challenged(StatusCode::FORBIDDEN, document)
    }
}
