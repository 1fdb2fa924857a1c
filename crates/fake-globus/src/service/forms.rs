//! What the error forms of several services have in common.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::gare::Gare;
use crate::observe::Challenged;

use super::{Challenge, Problem, Service};

/// `PermissionDenied` as `PERMISSION_DENIED`.
pub(crate) fn upper(code: &str) -> String {
    // Transfer says in which part of it the error is.
    let code = code.rsplit_once('.').map_or(code, |(_, code)| code);
    let mut upper = String::new();
    for character in code.chars() {
        if character.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(character.to_ascii_uppercase());
    }
    upper
}

/// A document with the status of the problem.
pub(crate) fn respond(problem: &Problem<'_>, document: Value) -> Response {
    (problem.status, Json(document)).into_response()
}

/// A document that asks for another login or consent.
pub(crate) fn challenged(status: StatusCode, document: Value) -> Response {
    let mut response = (status, Json(document)).into_response();
    response.extensions_mut().insert(Challenged);
    response
}

/// A response in the place of the proper one, for `?`.
#[derive(Debug)]
pub(crate) struct Refused(Box<Response>);

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// An error of the service `S`.
pub(crate) fn refused<S: Service>(status: StatusCode, code: &str, message: &str) -> Refused {
    let problem = Problem {
        status,
        code,
        message,
        resource: "",
    };
    S::refuse(&problem).into()
}

/// A requirement of the service `S`.
pub(crate) fn required<S: Service>(gare: &Gare) -> Refused {
    S::challenge(&Challenge { gare, resource: "" }).into()
}
