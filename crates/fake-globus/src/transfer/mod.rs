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
mod listing;
mod operation;
mod page;
mod rule;
mod search;
mod state;
mod stream;
mod submit;
pub(super) mod task;
mod task_list;
mod tunnel;
mod work;

use axum::response::Response;

use super::service::{Challenge, Endpoints, Problem, Service};

pub(super) use access::{demand_not_met, requirement};
pub(super) use challenge::result;
pub(super) use state::TransferState;

/// The scope of Transfer.
pub(super) const ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// The decoded path of a URL. Bytes that are not UTF-8 are replaced, and then match no file.
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
            .at("/operation/endpoint/{id}/ls")
            .get("operation_ls", operation::ls)
            .at("/operation/endpoint/{id}/stat")
            .get("operation_stat", operation::stat)
            .at("/operation/endpoint/{id}/mkdir")
            .post("operation_mkdir", operation::mkdir)
            .at("/submission_id")
            .get("get_submission_id", submit::id)
            .at("/delete")
            .post("submit_delete", submit::delete)
            .at("/transfer")
            .post("submit_transfer", submit::transfer)
            .at("/task/{id}")
            .get("get_task", task::one)
            .put("update_task", task::update)
            .at("/task_list")
            .get("task_list", task_list::list)
            .at("/task/{id}/event_list")
            .get("task_event_list", task::events)
            .at("/task/{id}/successful_transfers")
            .get("task_successful_transfers", task::successful_transfers)
            .at("/task/{id}/skipped_errors")
            .get("task_skipped_errors", task::skipped_errors)
            .at("/task/{id}/cancel")
            .post("cancel_task", task::cancel)
            .at("/operation/endpoint/{id}/rename")
            .post("operation_rename", operation::rename)
            .at("/endpoint/{id}")
            .get("get_endpoint", endpoint::one)
            .put("update_endpoint", endpoint::update)
            .at("/endpoint/{id}/subscription")
            .put("set_subscription_id", endpoint::subscribe)
            .at("/endpoint/{id}/subscription_admin_verified")
            .put("set_subscription_admin_verified", endpoint::verify)
            .at("/endpoint_search")
            .get("endpoint_search", search::search)
            .at("/endpoint/{id}/access_list")
            .get("endpoint_acl_list", access_rule::list)
            .at("/endpoint/{id}/access")
            .post("add_endpoint_acl_rule", access_rule::create)
            .at("/endpoint/{id}/access/{rule}")
            .get("get_endpoint_acl_rule", access_rule::one)
            .put("update_endpoint_acl_rule", access_rule::update)
            .delete("delete_endpoint_acl_rule", access_rule::delete)
            .at("/bookmark_list")
            .get("bookmark_list", bookmark::list)
            .at("/bookmark")
            .post("create_bookmark", bookmark::create)
            .at("/bookmark/{id}")
            .get("get_bookmark", bookmark::one)
            .put("update_bookmark", bookmark::update)
            .delete("delete_bookmark", bookmark::delete)
            .at("/v2/tunnels")
            .get("list_tunnels", tunnel::list)
            .post("create_tunnel", tunnel::create)
            .at("/v2/tunnels/{id}")
            .get("get_tunnel", tunnel::one)
            .patch("update_tunnel", tunnel::update)
            .delete("delete_tunnel", tunnel::delete)
            .at("/v2/tunnels/{id}/events")
            .get("get_tunnel_events", tunnel::events)
            .at("/v2/stream_access_points")
            .get("list_stream_access_points", stream::list)
            .at("/v2/stream_access_points/{id}")
            .get("get_stream_access_point", stream::one)
            .at("/v2/bookmarks")
            .get("list_bookmarks", bookmark::v2::list)
            .post("create_bookmark", bookmark::v2::create)
            .at("/v2/bookmarks/{id}")
            .get("get_bookmark", bookmark::v2::one)
            .patch("update_bookmark", bookmark::v2::update)
            .delete("delete_bookmark", bookmark::v2::delete)
    }

    fn error(problem: &Problem<'_>) -> Response {
        answer::of_problem(problem)
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        answer::finish(challenge::of(challenge.gare), challenge.resource)
    }

    fn finish(response: Response, resource: &str) -> Response {
        answer::finish(response, resource)
    }
}
