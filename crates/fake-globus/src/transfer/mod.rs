//! Globus Transfer.

mod access;
mod access_rule;
mod answer;
mod bookmark;
mod challenge;
mod copy;
pub(super) mod directory;
mod endpoint;
mod error;
mod filter;
mod glob;
mod json;
mod jsonapi;
mod kept;
mod listing;
mod operation;
mod page;
mod rule;
mod search;
mod stream;
mod submit;
pub(super) mod task;
mod task_list;
mod tunnel;
mod work;

use axum::response::Response;

use super::service::{Challenge, Endpoints, Problem, Service};

pub(super) use access::{demand_not_met, requirement};
pub(super) use kept::Kept;

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
            .put("update_task", "/task/{id}", task::update)
            .get("task_list", "/task_list", task_list::list)
            .get("task_event_list", "/task/{id}/event_list", task::events)
            .get(
                "task_successful_transfers",
                "/task/{id}/successful_transfers",
                task::successful_transfers,
            )
            .get(
                "task_skipped_errors",
                "/task/{id}/skipped_errors",
                task::skipped_errors,
            )
            .post("cancel_task", "/task/{id}/cancel", task::cancel)
            .post(
                "operation_rename",
                "/operation/endpoint/{id}/rename",
                operation::rename,
            )
            .get("get_endpoint", "/endpoint/{id}", endpoint::one)
            .put("update_endpoint", "/endpoint/{id}", endpoint::update)
            .put(
                "set_subscription_id",
                "/endpoint/{id}/subscription",
                endpoint::subscribe,
            )
            .put(
                "set_subscription_admin_verified",
                "/endpoint/{id}/subscription_admin_verified",
                endpoint::verify,
            )
            .get("endpoint_search", "/endpoint_search", search::search)
            .get(
                "endpoint_acl_list",
                "/endpoint/{id}/access_list",
                access_rule::list,
            )
            .post(
                "add_endpoint_acl_rule",
                "/endpoint/{id}/access",
                access_rule::create,
            )
            .get(
                "get_endpoint_acl_rule",
                "/endpoint/{id}/access/{rule}",
                access_rule::one,
            )
            .put(
                "update_endpoint_acl_rule",
                "/endpoint/{id}/access/{rule}",
                access_rule::update,
            )
            .delete(
                "delete_endpoint_acl_rule",
                "/endpoint/{id}/access/{rule}",
                access_rule::delete,
            )
            .get("bookmark_list", "/bookmark_list", bookmark::list)
            .post("create_bookmark", "/bookmark", bookmark::create)
            .get("get_bookmark", "/bookmark/{id}", bookmark::one)
            .put("update_bookmark", "/bookmark/{id}", bookmark::update)
            .delete("delete_bookmark", "/bookmark/{id}", bookmark::delete)
            .get("list_tunnels", "/v2/tunnels", tunnel::list)
            .post("create_tunnel", "/v2/tunnels", tunnel::create)
            .get("get_tunnel", "/v2/tunnels/{id}", tunnel::one)
            .patch("update_tunnel", "/v2/tunnels/{id}", tunnel::update)
            .delete("delete_tunnel", "/v2/tunnels/{id}", tunnel::delete)
            .get(
                "get_tunnel_events",
                "/v2/tunnels/{id}/events",
                tunnel::events,
            )
            .get(
                "list_stream_access_points",
                "/v2/stream_access_points",
                stream::list,
            )
            .get(
                "get_stream_access_point",
                "/v2/stream_access_points/{id}",
                stream::one,
            )
            .get("list_bookmarks", "/v2/bookmarks", bookmark::v2::list)
            .post("create_bookmark", "/v2/bookmarks", bookmark::v2::create)
            .get("get_bookmark", "/v2/bookmarks/{id}", bookmark::v2::one)
            .patch(
                "update_bookmark",
                "/v2/bookmarks/{id}",
                bookmark::v2::update,
            )
            .delete(
                "delete_bookmark",
                "/v2/bookmarks/{id}",
                bookmark::v2::delete,
            )
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
