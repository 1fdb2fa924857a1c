//! The services that have no endpoints yet: each refuses in its own form.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::secret;

use super::{Endpoints, Problem, Service};

/// `PermissionDenied` as `PERMISSION_DENIED`.
fn upper(code: &str) -> String {
    let mut upper = String::new();
    for character in code.chars() {
        if character.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(character.to_ascii_uppercase());
    }
    upper
}

fn respond(problem: &Problem<'_>, document: Value) -> Response {
    (problem.status, Json(document)).into_response()
}

/// Globus Groups.
pub(crate) enum Groups {}

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
}

/// Globus Search.
pub(crate) enum Search {}

impl Service for Search {
    const NAME: &'static str = "search";
    const RESOURCE_SERVER: &'static str = "search.api.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:search.api.globus.org:";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn refuse(problem: &Problem<'_>) -> Response {
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
}

/// Globus Flows.
pub(crate) enum Flows {}

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
}

/// Globus Timers.
pub(crate) enum Timers {}

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

/// Globus Compute.
pub(crate) enum Compute {}

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
}
