//! Globus Compute.

mod calls;
mod endpoint;
mod task;

use std::collections::VecDeque;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collection::Policy;
use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

pub use endpoint::ComputeEndpoint;
use task::{Function, Task};

/// How many tasks are kept, and how many functions.
const KEPT: usize = 10_000;

/// The state of Compute.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ComputeState {
    pub(super) endpoints: Vec<ComputeEndpoint>,
    pub(super) functions: VecDeque<Function>,
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
            .at("/v2/version")
            .get("get_version", calls::version)
            .at("/v2/endpoints")
            .get("get_endpoints", calls::endpoints)
            .at("/v2/endpoints/{id}")
            .get("get_endpoint", calls::endpoint)
            .at("/v2/endpoints/{id}/status")
            .get("get_endpoint_status", calls::status)
            .at("/v2/functions")
            .post("register_function", calls::register)
            .at("/v3/functions")
            .post("register_function", calls::register)
            .at("/v2/functions/{id}")
            .get("get_function", calls::function)
            .delete("delete_function", calls::delete_function)
            .at("/v3/endpoints/{id}/submit")
            .post("submit", calls::submit)
            .at("/v2/tasks/{id}")
            .get("get_task", calls::task)
            .at("/v2/batch_status")
            .post("get_task_batch", calls::batch)
            .at("/v2/taskgroup/{id}")
            .get("get_task_group", calls::group)
    }

    fn error(problem: &Problem<'_>) -> Response {
        // The SDK reads `message`. The real service also has `reason`.
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
        // The message for people is in `reason`, not in the requirement.
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
