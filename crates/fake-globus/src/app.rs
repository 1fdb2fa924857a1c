//! The web application of Globus. It serves no page yet.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::service::{Challenge, Endpoints, Problem, Service, challenged};

/// The web application. Programs link to its pages.
pub(super) enum App {}

impl Service for App {
    const NAME: &'static str = "app";
    const RESOURCE_SERVER: &'static str = "app.globus.org";
    const SCOPES: &'static str = "https://auth.globus.org/scopes/app.globus.org/";

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
    }

    fn error(problem: &Problem<'_>) -> Response {
        // The application has pages for people, and no error form for programs.
        (problem.status, problem.message.to_owned()).into_response()
    }

    /// The bare document: the application has no form of its own.
    fn challenge(challenge: &Challenge<'_>) -> Response {
        challenged(StatusCode::FORBIDDEN, challenge.gare.document())
    }
}
