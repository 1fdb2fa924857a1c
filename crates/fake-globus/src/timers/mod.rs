//! Globus Timers.

use axum::response::Response;
use serde_json::json;

use super::service::{Endpoints, Problem, Service, respond, upper};

/// Globus Timers.
pub(super) enum Timers {}

impl Service for Timers {
    const NAME: &'static str = "timer";
    const RESOURCE_SERVER: &'static str = "524230d7-ea86-4a52-8312-86065a9e0417";
    const SCOPES: &'static str =
        "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        let error = json!({
            "code": upper(problem.code),
            "detail": problem.message,
            "status": problem.status.as_u16(),
        });
        respond(problem, json!({"error": error}))
    }
}
