//! What the error forms of several services have in common.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Problem;

/// `PermissionDenied` as `PERMISSION_DENIED`.
pub(crate) fn upper(code: &str) -> String {
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
