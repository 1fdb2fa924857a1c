//! Globus Transfer.

mod access;
mod answer;
mod challenge;
pub(super) mod directory;
mod endpoint;
mod error;
mod filter;
mod json;
mod listing;
mod operation;
mod submit;
pub(super) mod task;
mod work;

use axum::response::Response;

use super::service::{Challenge, Endpoints, Problem, Service};

pub(super) use access::{demand_not_met, requirement};

/// The scope that its calls need.
pub(super) const ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// A path of a URL, decoded. What is no UTF-8 after that names no file.
pub(super) fn path_of(encoded: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(encoded);
    decoded.decode_utf8_lossy().into_owned()
}

/// Globus Transfer.
pub(super) enum Transfer {}

impl Service for Transfer {
    const NAME: &'static str = "transfer";
    const RESOURCE_SERVER: &'static str = "transfer.api.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:transfer.api.globus.org:";
    const BASES: &'static [&'static str] = &["/v0.10", ""];

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .get("operation_ls", "/operation/endpoint/{id}/ls", operation::ls)
            .get(
                "operation_stat",
                "/operation/endpoint/{id}/stat",
                operation::stat,
            )
            .post(
                "operation_mkdir",
                "/operation/endpoint/{id}/mkdir",
                operation::mkdir,
            )
            .get("get_submission_id", "/submission_id", submit::id)
            .post("submit_delete", "/delete", submit::delete)
            .post("submit_transfer", "/transfer", submit::transfer)
            .get("get_task", "/task/{id}", task::one)
            .get("task_list", "/task_list", task::list)
            .get("task_event_list", "/task/{id}/event_list", task::events)
            .post("cancel_task", "/task/{id}/cancel", task::cancel)
            .post(
                "operation_rename",
                "/operation/endpoint/{id}/rename",
                operation::rename,
            )
            .get("get_endpoint", "/endpoint/{id}", endpoint::one)
            .get("endpoint_search", "/endpoint_search", endpoint::search)
    }

    fn refuse(problem: &Problem<'_>) -> Response {
        answer::refuse(problem)
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        answer::finish(challenge::of(challenge.gare), challenge.resource)
    }

    fn finish(response: Response, resource: &str) -> Response {
        answer::finish(response, resource)
    }
}
