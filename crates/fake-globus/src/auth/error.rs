//! The errors of Auth.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::gare::Gare;
use crate::service::{self, Problem};

/// An error response: a status and a document.
#[derive(Debug)]
pub(super) struct AuthError {
    status: StatusCode,
    body: Value,
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        (
            self.status,
            [(header::CACHE_CONTROL, "no-store")],
            Json(self.body),
        )
            .into_response()
    }
}

/// An error of the token endpoint, which is only `{"error": ...}`, as in the real service.
pub(super) fn oauth(status: StatusCode, error: &str) -> AuthError {
    AuthError {
        status,
        body: json!({ "error": error }),
    }
}

/// An error of the token endpoint with a description.
pub(super) fn explained(error: &str, description: &str) -> AuthError {
    let body = json!({ "error": error, "error_description": description });
    AuthError {
        status: StatusCode::BAD_REQUEST,
        body,
    }
}

/// A [`Problem`] as an error of the API.
pub(super) fn of(problem: &Problem<'_>) -> AuthError {
    let status = problem.status;
    let title = status.canonical_reason().unwrap_or_default();
    let code = title.to_ascii_uppercase().replace(' ', "_");
    api(status, &code, title, problem.message)
}

/// An error of the API: a document with `errors`.
fn api(status: StatusCode, code: &str, title: &str, detail: &str) -> AuthError {
    let error = json!({
        "status": status.as_u16().to_string(),
        "id": Uuid::new_v4(),
        "code": code,
        "title": title,
        "detail": detail,
    });
    let body = json!({
        "errors": [error],
        "error": code.to_ascii_lowercase(),
        "error_description": title,
    });
    AuthError { status, body }
}

/// The error for dependent scopes that the user did not consent to.
pub(super) fn dependent_consent_required(scopes: &[&str]) -> AuthError {
    let title = "User must approve your client using scopes. See 'unapproved_scopes'.";
    let error = json!({
        "status": "403",
        "id": Uuid::new_v4(),
        "code": "DEPENDENT_CONSENT_REQUIRED",
        "title": title,
        "detail": format!("User hasn't approved the following scopes: {}", scopes.join(" ")),
        "unapproved_scopes": scopes,
    });
    let body = json!({
        "errors": [error],
        "error": "dependent_consent_required",
        "error_description": title,
    });
    AuthError {
        status: StatusCode::FORBIDDEN,
        body,
    }
}

pub(super) fn bad_request(detail: &str) -> AuthError {
    let status = StatusCode::BAD_REQUEST;
    api(status, "BAD_REQUEST", "Bad Request", detail)
}

/// A field that a request must have.
pub(super) fn missing(name: &str) -> AuthError {
    bad_request(&format!("{name} is required"))
}

pub(super) fn conflict(detail: &str) -> AuthError {
    api(StatusCode::CONFLICT, "CONFLICT", "Conflict", detail)
}

/// A 201 response with the created document.
#[derive(Debug)]
pub(super) struct Created(pub(super) Json<Value>);

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, self.0).into_response()
    }
}

/// The JSON body of a request.
pub(super) fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, AuthError> {
    body.map(|Json(body)| body)
        .map_err(|rejection| bad_request(&rejection.body_text()))
}

/// A challenge, as an error of the API.
pub(super) fn challenge(gare: &Gare) -> Response {
    let mut error = gare.document();
    error["message"] = gare.message.as_str().into();
    service::challenged(StatusCode::FORBIDDEN, json!({"errors": [error]}))
}

pub(super) fn unauthorized() -> AuthError {
    api(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "Unauthorized",
        "Call must be authenticated",
    )
}

pub(super) fn forbidden(detail: &str) -> AuthError {
    api(StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden", detail)
}

pub(super) fn not_found(detail: &str) -> AuthError {
    api(StatusCode::NOT_FOUND, "NOT_FOUND", "Not Found", detail)
}
