//! Globus Timers.

mod calls;
mod schedule;
pub(super) mod timer;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// The one scope that it has.
const TIMER: &str = "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer";

/// Globus Timers.
pub(super) enum Timers {}

impl Service for Timers {
    const NAME: &'static str = "timer";
    const RESOURCE_SERVER: &'static str = "524230d7-ea86-4a52-8312-86065a9e0417";
    const SCOPES: &'static str =
        "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .post("create_timer", "/v2/timer", calls::create)
            .get("list_jobs", "/jobs/", calls::list)
            .post("create_job", "/jobs/", calls::create_job)
            // The JavaScript SDK leaves the slash out.
            .get("list_jobs", "/jobs", calls::list)
            .post("create_job", "/jobs", calls::create_job)
            .get("get_job", "/jobs/{id}", calls::one)
            .delete("delete_job", "/jobs/{id}", calls::delete)
            .post("pause_job", "/jobs/{id}/pause", calls::pause)
            .post("resume_job", "/jobs/{id}/resume", calls::resume)
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        let error = json!({
            "code": upper(problem.code),
            "detail": problem.message,
            "status": problem.status.as_u16(),
        });
        respond(problem, json!({"error": error}))
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let (gare, status) = (challenge.gare, StatusCode::FORBIDDEN);
        let error = json!({
            "code": upper(gare.code()),
            "detail": gare.message,
            "status": status.as_u16(),
        });
        let document = json!({
            "code": gare.code(),
            "authorization_parameters": gare.parameters(),
            "error": error,
        });
        challenged(status, document)
    }
}
