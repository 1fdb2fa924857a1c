//! Globus Groups.

mod calls;
mod group;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

pub use group::Group;

/// Globus Groups.
pub(super) enum Groups {}

impl Service for Groups {
    const NAME: &'static str = "groups";
    const RESOURCE_SERVER: &'static str = "groups.api.globus.org";
    const SCOPES: &'static str = "urn:globus:auth:scope:groups.api.globus.org:";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .at("/v2/groups/my_groups")
            .get("get_my_groups", calls::mine)
            .at("/v2/groups")
            .post("create_group", calls::create)
            .at("/v2/groups/{id}")
            .get("get_group", calls::one)
            .delete("delete_group", calls::delete)
            .at("/v2/groups/{id}/policies")
            .get("get_group_policies", calls::policies)
    }

    fn error(problem: &Problem<'_>) -> Response {
        let error = json!({"code": upper(problem.code), "detail": problem.message});
        respond(problem, json!({"errors": [error]}))
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let gare = challenge.gare;
        let status = if gare.is_consent() {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::FORBIDDEN
        };
        let document = json!({
            "code": gare.code(),
            "detail": gare.message,
            "authorization_parameters": gare.parameters(),
        });
        challenged(status, document)
    }
}
