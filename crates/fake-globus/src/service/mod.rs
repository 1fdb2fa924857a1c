//! The trait [`Service`], and the extractors and responses that its handlers use.

mod bearer;
mod body;
mod endpoints;
mod forms;
mod table;

use axum::http::StatusCode;
use axum::response::Response;

use super::gare::Gare;

pub use bearer::EXPECT_USER;
pub(super) use bearer::{Bearer, Caller, caller};
pub(super) use body::Body;
pub(super) use endpoints::{Endpoints, Operation, not_served};
pub(super) use forms::{Rejection, challenge_of, challenged, rejection, respond, upper};
pub(super) use table::{Listed, SERVICES, named, unknown};

/// A Globus service. An endpoint is a handler and an entry in [`endpoints`](Service::endpoints).
pub(super) trait Service: Sized + Send + Sync + 'static {
    /// The name in the SDKs, which read the URL from `GLOBUS_SDK_SERVICE_URL_{NAME}`.
    const NAME: &'static str;
    const RESOURCE_SERVER: &'static str;
    /// The prefix of all scopes.
    const SCOPES: &'static str;
    /// The prefixes under which all paths are served.
    const BASES: &'static [&'static str] = &[""];

    /// Adds all endpoints. A request to any other path is answered 501.
    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self>;

    /// An error in the form of this service.
    fn error(problem: &Problem<'_>) -> Response;

    /// A challenge in the form of this service.
    fn challenge(challenge: &Challenge<'_>) -> Response;

    /// Completes a response to a request with the path `resource`.
    fn finish(response: Response, _resource: &str) -> Response {
        response
    }

    /// Whether the service owns `path`. Only called if services share an origin.
    fn owns(_path: &str) -> bool {
        true
    }
}

/// A challenge, before a service writes it in its own form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge<'a> {
    pub(super) gare: &'a Gare,
    /// The path of the request.
    pub(super) resource: &'a str,
}

/// An error, before a service writes it in its own form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'a> {
    pub(super) status: StatusCode,
    /// A code in the style of Transfer, such as `NotImplemented`.
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// The path of the request.
    pub(super) resource: &'a str,
}
