//! The errors of Transfer.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::collection::Collection;

/// The server in the messages of a collection.
const SERVER: &str = "127.0.0.1:443";

/// An error of Transfer.
#[derive(Clone, Debug)]
pub(super) struct TransferError {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    /// Fields besides `code`, `message`, `request_id` and `resource`.
    pub(super) fields: Map<String, Value>,
    pub(super) challenges: bool,
}

impl TransferError {
    pub(super) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
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

    /// A path that leaves the collection.
    pub(super) fn not_allowed(collection: &Collection, command: &str, path: &str) -> Self {
        let details = "500 Command failed : Path not allowed.\\r\\n\n";
        Self::permission_denied(collection, (command, path), details)
    }

    /// A path that the operating system denies access to.
    pub(super) fn denied(collection: &Collection, command: &str, path: &str) -> Self {
        let details = "550-GlobusError: v=1 c=PERMISSION_DENIED\\r\\n550-GridFTP-Errno: 13\\r\\n550-GridFTP-Reason: System error in \
                       stat\\r\\n550-GridFTP-Error-String: Permission denied\\r\\n550 End.\\r\\n\n";
        Self::permission_denied(collection, (command, path), details)
    }

    fn permission_denied(
        collection: &Collection,
        command_and_path: (&str, &str),
        details: &str,
    ) -> Self {
        Self::by_server(
            collection,
            StatusCode::FORBIDDEN,
            "EndpointPermissionDenied",
            "Denied by endpoint",
            command_and_path,
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

/// The JSON in the body of a request.
pub(super) fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, TransferError> {
    body.map(|Json(body)| body)
        .map_err(|rejection| TransferError::bad_request(rejection.body_text()))
}

/// The lines of a message that name the collection and its server.
pub(super) fn endpoint(collection: &Collection) -> String {
    format!(
        "Endpoint: {} ({})\nServer: {SERVER}",
        collection.name, collection.id
    )
}

fn command_name(command: &str) -> &'static str {
    if command == "MKD" { "mkdir" } else { "list" }
}
