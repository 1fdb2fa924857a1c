//! Globus Flows.

mod calls;
mod flow;
mod page;
mod run;

use std::collections::VecDeque;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::collection::Policy;
use super::secret;
use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

pub use flow::Flow;
use run::Run;

/// The prefix of all scopes of Flows.
const SCOPES: &str = "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/";

/// The scope of the transfer action.
pub(super) const ACTION: &str =
    "https://auth.globus.org/scopes/actions.globus.org/transfer/transfer";

/// How many runs are kept.
const KEPT_RUNS: usize = 10_000;

/// The state of Flows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FlowsState {
    pub(super) flows: Vec<Flow>,
    pub(super) runs: VecDeque<Run>,
}

impl FlowsState {
    pub(super) fn flow(&self, id: Uuid) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.flows.iter().flat_map(|flow| &flow.policies)
    }

    pub(super) fn policies_mut(&mut self) -> impl Iterator<Item = &mut Policy> {
        self.flows.iter_mut().flat_map(|flow| &mut flow.policies)
    }
}

/// Globus Flows.
pub(super) enum Flows {}

impl Service for Flows {
    const NAME: &'static str = "flows";
    const RESOURCE_SERVER: &'static str = "flows.globus.org";
    const SCOPES: &'static str = SCOPES;

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .at("/flows")
            .get("list_flows", calls::flows)
            .at("/flows/{id}")
            .get("get_flow", calls::flow)
            .at("/flows/{id}/run")
            .post("run_flow", calls::start)
            .at("/flows/{id}/validate_run")
            .post("validate_run", calls::validate)
            .at("/runs")
            .get("list_runs", calls::runs)
            .at("/runs/{id}")
            .get("get_run", calls::run)
            .at("/runs/{id}/definition")
            .get("get_run_definition", calls::definition)
            .at("/runs/{id}/log")
            .get("get_run_logs", calls::log)
            .at("/runs/{id}/resume")
            .post("resume_run", calls::resume)
            .at("/runs/{id}/cancel")
            .post("cancel_run", calls::cancel)
            .at("/runs/{id}/release")
            .post("delete_run", calls::release)
    }

    fn error(problem: &Problem<'_>) -> Response {
        let (code, detail) = match problem.status {
            StatusCode::UNAUTHORIZED => (
                "AUTHENTICATION_ERROR".to_owned(),
                "Expired or invalid Bearer token",
            ),
            _ => (upper(problem.code), problem.message),
        };
        let error = json!({"code": code, "detail": detail});
        respond(
            problem,
            json!({"error": error, "debug_id": secret::random(32)}),
        )
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let gare = challenge.gare;
        let code = match gare.code() {
            // Flows has its own code for this.
            "AuthorizationRequired" => "AuthenticationPolicyRequired",
            code => code,
        };
        let document = json!({
            "code": code,
            "authorization_parameters": gare.parameters(),
            "error": {"code": upper(code), "detail": gare.message},
            "debug_id": secret::random(32),
        });
        challenged(StatusCode::FORBIDDEN, document)
    }
}
