//! Error responses: parts that the forms of several services share.

use axum::Json;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::gare::Gare;
use crate::observe::Challenged;

use super::{Challenge, Problem, Service};

/// The maximal size of an error of axum, in bytes.
const LONGEST_ERROR: usize = 64 * 1024;

/// Converts a code such as `PermissionDenied` to `PERMISSION_DENIED`.
pub(crate) fn upper(code: &str) -> String {
    // A code of Transfer may have a prefix, such as `ClientError.`.
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

/// A response that is a challenge.
pub(crate) fn challenged(status: StatusCode, document: Value) -> Response {
    let mut response = (status, Json(document)).into_response();
    response.extensions_mut().insert(Challenged);
    response
}

/// An error response of a handler, for `?`.
#[derive(Debug)]
pub(crate) struct Rejection(Box<Response>);

impl From<Response> for Rejection {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// Rewrites an error of axum in the form of the service `S`. The extractors of axum answer with
/// plain text, and no handler of a service does.
pub(super) async fn in_own_form<S: Service>(response: Response, resource: &str) -> Response {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !status.is_client_error() || !is_text {
        return response;
    }
    let text = to_bytes(response.into_body(), LONGEST_ERROR).await;
    let code = status
        .canonical_reason()
        .unwrap_or_default()
        .replace(' ', "");
    S::error(&Problem {
        status,
        code: &code,
        message: &String::from_utf8_lossy(&text.unwrap_or_default()),
        resource,
    })
}

/// An error of the service `S`.
pub(crate) fn rejection<S: Service>(status: StatusCode, code: &str, message: &str) -> Rejection {
    let problem = Problem {
        status,
        code,
        message,
        resource: "",
    };
    S::error(&problem).into()
}

/// A challenge of the service `S`.
pub(crate) fn challenge_of<S: Service>(gare: &Gare) -> Rejection {
    S::challenge(&Challenge { gare, resource: "" }).into()
}
