//! The errors of an HTTPS server: the texts of GridFTP errors, without reply codes. Each is a 404.

use std::io;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::observe::Challenged;
use crate::transfer::directory::is_escape;

fn text(lines: &[&str]) -> Response {
    let lines = lines.iter().flat_map(|line| [line, "\n"]);
    (StatusCode::NOT_FOUND, lines.collect::<String>()).into_response()
}

/// An error of the disk.
pub(super) fn of(error: &io::Error) -> Response {
    match error.kind() {
        _ if is_escape(error) => text(&["GlobusError: v=1 c=PATH_NOT_ALLOWED"]),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            not_found("No such file or directory")
        }
        io::ErrorKind::IsADirectory => not_found("The path is a directory"),
        io::ErrorKind::PermissionDenied => text(&[
            "GlobusError: v=1 c=PERMISSION_DENIED",
            "GridFTP-Errno: 13",
            "GridFTP-Reason: System error in open",
            "GridFTP-Error-String: Permission denied",
        ]),
        _ => internal(&error.to_string()),
    }
}

pub(super) fn not_found(what: &str) -> Response {
    text(&[
        "GlobusError: v=1 c=PATH_NOT_FOUND",
        "GridFTP-Errno: 2",
        "GridFTP-Reason: System error in stat",
        &format!("GridFTP-Error-String: {what}"),
    ])
}

/// An error of the connection between the server and the GCS Manager API.
pub(super) fn endpoint_error() -> Response {
    text(&[
        "Mapping collection to specified ID failed.",
        "GlobusError: v=1 c=ENDPOINT_ERROR",
        "GCS Manager Internal Error",
    ])
}

/// An error of the server itself. Only the text distinguishes it from a missing file.
pub(super) fn internal(what: &str) -> Response {
    text(&[
        "GlobusError: v=1 c=INTERNAL_ERROR",
        &format!("GridFTP-Reason: {what}"),
    ])
}

/// A challenge for a session that does not satisfy the collection. `result` is the JSON with the
/// requirement.
pub(super) fn login_denied(result: &str) -> Response {
    let mut response = text(&[
        "Mapping collection to specified ID failed.",
        "GlobusError: v=1 c=LOGIN_DENIED",
        &format!("GridFTP-JSON-Result: {result}"),
    ]);
    response.extensions_mut().insert(Challenged);
    response
}
