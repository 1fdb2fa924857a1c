//! The operations `ls`, `stat`, `mkdir` and `rename`.

use std::io;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::collection::Collection;

use super::access::Guarded;
use super::answer::{self, Answer, Document};
use super::directory::{Directory, is_escape};
use super::error::TransferError;
use super::listing::{self, ListOptions, Listing};

type Pairs = Query<Vec<(String, String)>>;

/// The default path.
pub(super) const HOME: &str = "/~/";

fn path(pairs: &[(String, String)]) -> &str {
    pairs
        .iter()
        .find(|(name, value)| name == "path" && !value.is_empty())
        .map_or(HOME, |(_, path)| path)
}

pub(super) async fn ls(
    Guarded { caller, served }: Guarded,
    Query(pairs): Pairs,
) -> Result<Response, TransferError> {
    let id = served.collection.id;
    let wanted = ListOptions::parse(&pairs).map_err(TransferError::bad_request)?;
    let path = path(&pairs);
    let found = on_disk(&served.directory, path, Directory::list).await;
    let entries = found.map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => not_a_directory(&served.collection, path),
        io::ErrorKind::NotFound => {
            let message = format!("Directory '{path}' not found on endpoint '{id}'");
            TransferError::new(StatusCode::NOT_FOUND, "ClientError.NotFound", message)
        }
        _ => path_error(&served.collection, "MLSC", path, &error),
    })?;
    let (entries, total) = wanted.select(entries);
    let owner = caller.user.primary.local_name();
    let documents = entries.iter();
    let documents = documents.map(|entry| listing::Document::of(entry, owner));
    Ok(answer::ok(&Listing {
        entries: documents.collect(),
        data_type: "file_list",
        absolute_path: with_slash(path).replacen(HOME, "/", 1),
        endpoint: id,
        length: entries.len(),
        path: with_slash(path),
        rename_supported: true,
        symlink_supported: false,
        total,
    }))
}

pub(super) async fn stat(
    Guarded { caller, served }: Guarded,
    Query(pairs): Pairs,
) -> Result<Response, TransferError> {
    let path = path(&pairs);
    let found = on_disk(&served.directory, path, Directory::stat).await;
    let entry = found.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            not_found(&served.collection, "MLST", path)
        }
        _ => path_error(&served.collection, "MLST", path, &error),
    })?;
    let owner = caller.user.primary.local_name();
    Ok(answer::ok(&listing::Document::of(&entry, owner)))
}

pub(super) async fn mkdir(
    Guarded { served, .. }: Guarded,
    body: Result<Json<Value>, JsonRejection>,
) -> Answer {
    let body = body.ok();
    let path = body.and_then(|Json(body)| Some(body.get("path")?.as_str()?.to_owned()));
    let path =
        path.ok_or_else(|| TransferError::bad_request("The body must be an object with a path"))?;
    let made = on_disk(&served.directory, &path, Directory::create).await;
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => TransferError::new(
            StatusCode::BAD_GATEWAY,
            "ExternalError.MkdirFailed.Exists",
            format!("Path '{path}' already exists"),
        ),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            not_found(&served.collection, "MKD", &path)
        }
        _ => path_error(&served.collection, "MKD", &path, &error),
    })?;
    let document = json!({
        "DATA_TYPE": "mkdir_result",
        "code": "DirectoryCreated",
        "message": "The directory was created successfully",
    });
    Ok(Document(StatusCode::ACCEPTED, document))
}

pub(super) async fn rename(
    Guarded { served, .. }: Guarded,
    body: Result<Json<Value>, JsonRejection>,
) -> Answer {
    let body = body.ok();
    let path = |name: &str| {
        let path = body
            .as_ref()
            .and_then(|Json(body)| body.get(name)?.as_str());
        let message = format!("The body must be an object with an {name}");
        path.map(ToOwned::to_owned)
            .ok_or_else(|| TransferError::bad_request(message))
    };
    let (old, new) = (path("old_path")?, path("new_path")?);
    let directory = served.directory.clone();
    let (from, to) = (old.clone(), new.clone());
    let renamed = tokio::task::spawn_blocking(move || directory.rename(&from, &to)).await;
    let renamed = renamed.unwrap_or_else(|error| Err(("RNFR", io::Error::other(error))));
    renamed.map_err(|(command, error)| {
        let path = if command == "RNTO" { &new } else { &old };
        match error.kind() {
            io::ErrorKind::AlreadyExists => TransferError::new(
                StatusCode::BAD_GATEWAY,
                "ExternalError.RenameFailed.Exists",
                format!("Path '{path}' already exists"),
            ),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                not_found(&served.collection, command, path)
            }
            _ => path_error(&served.collection, command, path, &error),
        }
    })?;
    Ok(Document::ok(json!({
        "DATA_TYPE": "result",
        "code": "FileRenamed",
        "message": "File or directory renamed successfully",
    })))
}

/// Calls `ask` on a thread that may block.
async fn on_disk<T: Send + 'static>(
    directory: &Directory,
    path: &str,
    ask: fn(&Directory, &str) -> io::Result<T>,
) -> io::Result<T> {
    let (directory, path) = (directory.clone(), path.to_owned());
    tokio::task::spawn_blocking(move || ask(&directory, &path))
        .await
        .map_err(io::Error::other)?
}

fn not_a_directory(collection: &Collection, path: &str) -> TransferError {
    let details = "500-Command failed. : Path is not a directory.\\r\\n500 End.\\r\\n\n";
    TransferError::by_server(
        collection,
        StatusCode::BAD_GATEWAY,
        "ExternalError.DirListingFailed.NotDirectory",
        "Command Failed: Not a directory",
        ("MLSC", path),
        details,
    )
}

fn not_found(collection: &Collection, command: &str, path: &str) -> TransferError {
    let details = format!(
        "Error: '{path}' not found\\r\\n550-GlobusError: v=1 c=PATH_NOT_FOUND\\r\\n550-GridFTP-Errno: \
         2\\r\\n550-GridFTP-Reason: System error in stat\\r\\n550-GridFTP-Error-String: No such file or \
         directory\\r\\n550 End.\\r\\n\n"
    );
    TransferError::by_server(
        collection,
        StatusCode::NOT_FOUND,
        "NotFound",
        "Path not found",
        (command, path),
        &details,
    )
}

fn path_error(
    collection: &Collection,
    command: &str,
    path: &str,
    error: &io::Error,
) -> TransferError {
    match error.kind() {
        _ if is_escape(error) => TransferError::not_allowed(collection, command, path),
        io::ErrorKind::PermissionDenied => TransferError::denied(collection, command, path),
        _ => TransferError::bad_request(format!("Invalid path: {error}")),
    }
}

fn with_slash(path: &str) -> String {
    if path.ends_with('/') {
        path.to_owned()
    } else {
        format!("{path}/")
    }
}
