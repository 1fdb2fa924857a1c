//! What Transfer answers with: documents, and errors about requests, paths and tokens.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::testing::bearer::{Caller, NoCaller};
use crate::testing::collection::Collection;
use crate::testing::observe::{CalledBy, Challenged};
use crate::testing::secret;

use super::json;

/// The server that the messages of a collection speak of.
const SERVER: &str = "127.0.0.1:443";

/// An error of Transfer.
#[derive(Clone, Debug)]
pub(super) struct TransferError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Fields beside the usual four.
    pub(super) fields: Map<String, Value>,
    pub(super) challenges: bool,
}

impl TransferError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Map::new(),
            challenges: false,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn no_endpoint(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "EndpointNotFound",
            format!("No such endpoint '{id}'"),
        )
    }

    /// A path that leads out of what the collection serves.
    pub(super) fn not_allowed(collection: &Collection, command: &str, path: &str) -> Self {
        let details = "500 Command failed : Path not allowed.\\r\\n\n";
        Self::by_server(
            collection,
            StatusCode::FORBIDDEN,
            "EndpointPermissionDenied",
            "Denied by endpoint",
            (command, path),
            details,
        )
    }

    /// A path that the server's own account may not read or write.
    pub(super) fn denied(collection: &Collection, command: &str, path: &str) -> Self {
        let details = "550-GlobusError: v=1 c=PERMISSION_DENIED\\r\\n550-GridFTP-Errno: 13\\r\\n550-GridFTP-Reason: System error in \
                       stat\\r\\n550-GridFTP-Error-String: Permission denied\\r\\n550 End.\\r\\n\n";
        Self::by_server(
            collection,
            StatusCode::FORBIDDEN,
            "EndpointPermissionDenied",
            "Denied by endpoint",
            (command, path),
            details,
        )
    }

    /// An error that a collection's server reported to Transfer.
    pub(super) fn by_server(
        collection: &Collection,
        status: StatusCode,
        code: &'static str,
        head: &str,
        (command, path): (&str, &str),
        details: &str,
    ) -> Self {
        let endpoint = endpoint(collection);
        let message = format!(
            "{head}, Error ({})\n{endpoint}\nCommand: {command} {path}\nMessage: Fatal FTP Response\n---\nDetails: {details}",
            command_name(command)
        );
        Self::new(status, code, message)
    }
}

/// The lines of a message that say where it comes from.
pub(super) fn endpoint(collection: &Collection) -> String {
    format!(
        "Endpoint: {} ({})\nServer: {SERVER}",
        collection.name, collection.id
    )
}

fn command_name(command: &str) -> &'static str {
    if command == "MKD" { "mkdir" } else { "list" }
}

impl From<NoCaller> for TransferError {
    fn from(nobody: NoCaller) -> Self {
        match nobody {
            NoCaller::Missing => Self::new(
                StatusCode::UNAUTHORIZED,
                "ClientError.AuthenticationFailed",
                "No credentials supplied",
            ),
            NoCaller::Invalid => Self::new(
                StatusCode::UNAUTHORIZED,
                "AuthenticationFailed",
                "Token is not active",
            ),
        }
    }
}

/// A document with its status, or an error.
pub(super) type Answer = Result<(StatusCode, Value), TransferError>;

/// Writes `answer` to a request for `resource`.
pub(super) fn respond(resource: &str, caller: Option<&Caller>, answer: Answer) -> Response {
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
    if let Some(caller) = caller {
        response
            .extensions_mut()
            .insert(CalledBy(caller.user.primary.username()));
    }
    if challenges {
        response.extensions_mut().insert(Challenged);
    }
    response
}
