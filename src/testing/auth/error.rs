//! The errors of Auth's API.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An error of the token endpoint: `{"error": ...}` alone, as Auth sends it.
pub(super) fn oauth(status: StatusCode, error: &str) -> Response {
    (
        status,
        [(header::CACHE_CONTROL, "no-store")],
        Json(json!({ "error": error })),
    )
        .into_response()
}

/// The same with a word of explanation.
pub(super) fn explained(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// An error of the API proper, a document with `errors`.
pub(super) fn api(status: StatusCode, code: &str, title: &str, detail: &str) -> Response {
    let error = json!({
        "status": status.as_u16().to_string(),
        "id": Uuid::new_v4(),
        "code": code,
        "title": title,
        "detail": detail,
    });
    let body: Value = json!({
        "errors": [error],
        "error": code.to_ascii_lowercase(),
        "error_description": title,
    });
    (status, Json(body)).into_response()
}

pub(super) fn unauthorized() -> Response {
    api(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "Unauthorized",
        "Call must be authenticated",
    )
}

pub(super) fn forbidden(detail: &str) -> Response {
    api(StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden", detail)
}

pub(super) fn not_found(detail: &str) -> Response {
    api(StatusCode::NOT_FOUND, "NOT_FOUND", "Not Found", detail)
}
