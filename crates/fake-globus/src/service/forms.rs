//! What the error forms of several services have in common.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::observe::Challenged;

use super::{Problem, Service};

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

/// An error of the service `S`.
pub(crate) fn refused<S: Service>(status: StatusCode, code: &str, message: &str) -> Response {
    S::refuse(&Problem {
        status,
        code,
        message,
        resource: "",
    })
}
