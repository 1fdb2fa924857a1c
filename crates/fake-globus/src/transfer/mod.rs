//! Globus Transfer.

mod access;
mod call;
pub(super) mod directory;
mod endpoint;
mod error;
mod filter;
mod json;
mod listing;
mod operation;
mod refusal;
mod submit;
pub(super) mod task;
mod work;

use axum::Router;
use axum::routing::{get, post};

use super::world::Shared;

/// The name that Transfer has as a resource server.
const TRANSFER: &str = "transfer.api.globus.org";

/// The scope that its calls need.
const ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

pub(super) fn routes() -> Router<Shared> {
    let routes = Router::new()
        .route("/operation/endpoint/{id}/ls", get(operation::ls))
        .route("/operation/endpoint/{id}/stat", get(operation::stat))
        .route("/operation/endpoint/{id}/mkdir", post(operation::mkdir))
        .route("/submission_id", get(submit::id))
        .route("/delete", post(submit::delete))
        .route("/transfer", post(submit::transfer))
        .route("/task/{id}", get(task::one))
        .route("/endpoint/{id}", get(endpoint::one))
        .route("/endpoint_search", get(endpoint::search));
    Router::new().merge(routes.clone()).nest("/v0.10", routes)
}
