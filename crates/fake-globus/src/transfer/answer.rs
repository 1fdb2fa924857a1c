//! The responses of Transfer: documents and errors.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::observe::Challenged;
use crate::secret;
use crate::service::Problem;

use super::error::TransferError;
use super::{json, jsonapi};

/// The result of a handler: a document with a status, or an error.
pub(super) type Answer = Result<Document, TransferError>;

/// A document with its status.
#[derive(Debug)]
pub(super) struct Document(pub(super) StatusCode, pub(super) Value);

impl Document {
    pub(super) fn ok(document: Value) -> Self {
        Self(StatusCode::OK, document)
    }
}

/// Response extension: a document that [`finish`] completes with the path of its request.
#[derive(Clone, Debug)]
struct Unwritten(Map<String, Value>);

/// A 200 response with a document that is serialized at once, without a `Value` in between. For
/// long documents.
pub(super) fn ok(document: &impl Serialize) -> Response {
    written(StatusCode::OK, document, &secret::random(9))
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let Self(status, document) = self;
        match document {
            // Errors and results contain the path of their request. Other documents do not.
            Value::Object(fields) if fields.contains_key("code") => {
                let mut response = status.into_response();
                response.extensions_mut().insert(Unwritten(fields));
                response
            }
            document => written(status, &document, &secret::random(9)),
        }
    }
}

impl IntoResponse for TransferError {
    fn into_response(self) -> Response {
        let mut fields = self.fields;
        fields.insert("code".to_owned(), self.code.into());
        fields.insert("message".to_owned(), self.message.into());
        let mut response = Document(self.status, fields.into()).into_response();
        if self.challenges {
            response.extensions_mut().insert(Challenged);
        }
        response
    }
}

/// Writes a document that was left unwritten until the path of its request is known.
pub(super) fn finish(mut response: Response, resource: &str) -> Response {
    let Some(Unwritten(mut fields)) = response.extensions_mut().remove::<Unwritten>() else {
        return response;
    };
    let request_id = secret::random(9);
    if jsonapi::is_for(resource) {
        let document = jsonapi::error(response.status().as_u16(), fields, &request_id);
        let mut finished = written(response.status(), &document, &request_id);
        finished.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(jsonapi::TYPE),
        );
        *finished.extensions_mut() = std::mem::take(response.extensions_mut());
        return finished;
    }
    fields.insert("request_id".to_owned(), request_id.as_str().into());
    fields.insert("resource".to_owned(), resource.into());
    let mut finished = written(response.status(), &fields, &request_id);
    *finished.extensions_mut() = std::mem::take(response.extensions_mut());
    finished
}

/// A [`Problem`] as an error of Transfer.
pub(super) fn of_problem(problem: &Problem<'_>) -> Response {
    let error = TransferError::new(problem.status, problem.code, problem.message);
    finish(error.into_response(), problem.resource)
}

fn written(status: StatusCode, document: &impl Serialize, request_id: &str) -> Response {
    let mut response = (status, json::document(document)).into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", request_id);
    }
    response
}
