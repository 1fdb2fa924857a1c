//! Globus Timers.

mod calls;
mod schedule;
pub(super) mod timer;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// The only scope of Timers.
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
            .at("/v2/timer")
            .post("create_timer", calls::create)
            .at("/jobs/")
            .get("list_jobs", calls::list)
            .post("create_job", calls::create_job)
            // The JavaScript SDK omits the slash.
            .at("/jobs")
            .get("list_jobs", calls::list)
            .post("create_job", calls::create_job)
            .at("/jobs/{id}")
            .get("get_job", calls::one)
            .delete("delete_job", calls::delete)
            .at("/jobs/{id}/pause")
            .post("pause_job", calls::pause)
            .at("/jobs/{id}/resume")
            .post("resume_job", calls::resume)
    }

    fn error(problem: &Problem<'_>) -> Response {
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
