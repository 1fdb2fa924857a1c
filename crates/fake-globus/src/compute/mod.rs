//! Globus Compute.

mod calls;
mod endpoint;
mod task;

use std::collections::VecDeque;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

use super::collection::Policy;
pub use endpoint::ComputeEndpoint;
use task::{Function, Task};

/// How many tasks are remembered.
const KEPT_TASKS: usize = 10_000;

/// All endpoints, and what was submitted to them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ComputeState {
    pub(super) endpoints: Vec<ComputeEndpoint>,
    pub(super) functions: Vec<Function>,
    pub(super) tasks: VecDeque<Task>,
}

impl ComputeState {
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.policies)
    }

    pub(super) fn policies_mut(&mut self) -> impl Iterator<Item = &mut Policy> {
        let endpoints = self.endpoints.iter_mut();
        endpoints.flat_map(|endpoint| &mut endpoint.policies)
    }
}

/// Globus Compute.
pub(super) enum Compute {}

impl Service for Compute {
    const NAME: &'static str = "compute";
    const RESOURCE_SERVER: &'static str = "funcx_service";
    const SCOPES: &'static str =
        "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .get("get_version", "/v2/version", calls::version)
            .get("get_endpoints", "/v2/endpoints", calls::endpoints)
            .get("get_endpoint", "/v2/endpoints/{id}", calls::endpoint)
            .get(
                "get_endpoint_status",
                "/v2/endpoints/{id}/status",
                calls::status,
            )
            .post("register_function", "/v2/functions", calls::register)
            .post("register_function", "/v3/functions", calls::register)
            .get("get_function", "/v2/functions/{id}", calls::function)
            .delete(
                "delete_function",
                "/v2/functions/{id}",
                calls::delete_function,
            )
            .post("submit", "/v3/endpoints/{id}/submit", calls::submit)
            .get("get_task", "/v2/tasks/{id}", calls::task)
            .post("get_task_batch", "/v2/batch_status", calls::batch)
            .get("get_task_group", "/v2/taskgroup/{id}", calls::group)
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
