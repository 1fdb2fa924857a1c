//! Globus Groups.

use axum::response::Response;
use serde_json::json;

use super::service::{Endpoints, Problem, Service, respond, upper};

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
}
