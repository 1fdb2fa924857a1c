//! A call of Transfer: whose it is, and its answer.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::bearer::{self, Caller};
use crate::observe::{CalledBy, Challenged};
use crate::secret;
use crate::service::{Problem, Service};
use crate::world::Shared;

use super::Transfer;
use super::error::TransferError;
use super::json;

/// What each call comes with.
pub(super) type Call = (State<Shared>, OriginalUri, HeaderMap);

/// A document with its status, or an error.
pub(super) type Answer = Result<(StatusCode, Value), TransferError>;

/// Answers what `work` makes of the call, where somebody made it.
pub(super) async fn answer(
    (State(world), OriginalUri(uri), headers): Call,
    work: impl AsyncFnOnce(Shared, Caller) -> Answer,
) -> Response {
    match bearer::caller(&world, &headers, Transfer::RESOURCE_SERVER) {
        Err(nobody) => respond(uri.path(), Err(nobody.into())),
        Ok(caller) => {
            let by = CalledBy(caller.user.primary.username());
            let mut response = respond(uri.path(), work(world, caller).await);
            response.extensions_mut().insert(by);
            response
        }
    }
}

/// An error that every service has.
pub(super) fn refuse(problem: &Problem<'_>) -> Response {
    let error = TransferError::new(problem.status, problem.code, problem.message);
    respond(problem.resource, Err(error))
}

/// Writes `answer` to a request for `resource`.
fn respond(resource: &str, answer: Answer) -> Response {
    let request_id = secret::random(9);
    let (status, challenges, mut document) = match answer {
        Ok((status, document)) => (status, false, document),
        Err(error) => {
            let mut fields = error.fields;
            fields.insert("code".to_owned(), error.code.into());
            fields.insert("message".to_owned(), error.message.into());
            (error.status, error.challenges, Value::Object(fields))
        }
    };
    // Errors and results name the request; documents such as a listing do not.
    if let Value::Object(fields) = &mut document
        && fields.contains_key("code")
    {
        fields.insert("request_id".to_owned(), request_id.as_str().into());
        fields.insert("resource".to_owned(), resource.into());
    }
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("x-request-id", request_id.as_str()),
    ];
    let mut response = (status, headers, json::document(&document)).into_response();
    if challenges {
        response.extensions_mut().insert(Challenged);
    }
    response
}
