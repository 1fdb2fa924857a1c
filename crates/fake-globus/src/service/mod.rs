//! The services: what tells one from another, and what they have in common.

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

/// A Globus service. An endpoint of it is one handler, and one line in [`endpoints`](Service::endpoints).
pub(super) trait Service: Sized + Send + Sync + 'static {
    /// As the SDKs name it: `GLOBUS_SDK_SERVICE_URL_{NAME}` is where they look for its URL.
    const NAME: &'static str;
    const RESOURCE_SERVER: &'static str;
    /// What its scopes begin with.
    const SCOPES: &'static str;
    /// What may stand before the paths of its endpoints.
    const BASES: &'static [&'static str] = &[""];

    /// Adds all endpoints that are served. What is not among them is answered 501.
    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self>;

    /// Writes an error as this service does.
    fn error(problem: &Problem<'_>) -> Response;

    /// Asks for another login or consent, as this service does.
    fn challenge(challenge: &Challenge<'_>) -> Response;

    /// Completes a response to a request for `resource`.
    fn finish(response: Response, _resource: &str) -> Response {
        response
    }

    /// Whether `path` is one of its own, where two services share an origin.
    fn owns(_path: &str) -> bool {
        true
    }
}

/// A requirement that a service refuses a request with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge<'a> {
    pub(super) gare: &'a Gare,
    /// The path of the request.
    pub(super) resource: &'a str,
}

/// An error that every service has a form for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'a> {
    pub(super) status: StatusCode,
    /// In the form of Transfer, such as `NotImplemented`.
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// The path of the request.
    pub(super) resource: &'a str,
}
