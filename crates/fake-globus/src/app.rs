//! The web application of Globus.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::service::{Challenge, Endpoints, Problem, Service, challenged};

/// The web application, whose pages programs link to.
pub(super) enum App {}

impl Service for App {
    const NAME: &'static str = "app";
    const RESOURCE_SERVER: &'static str = "app.globus.org";
    const SCOPES: &'static str = "https://auth.globus.org/scopes/app.globus.org/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn error(problem: &Problem<'_>) -> Response {
        // It has pages for people, and no errors for programs.
        (problem.status, problem.message.to_owned()).into_response()
    }

    /// The document alone: a form of its own it has not.
    fn challenge(challenge: &Challenge<'_>) -> Response {
        challenged(StatusCode::FORBIDDEN, challenge.gare.document())
    }
}
