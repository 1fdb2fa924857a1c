//! Tasks: deleting and transferring. Each is over by the time that its submission is answered.

use serde::{Deserialize, Serialize};
use std::io;
use std::time::SystemTime;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::timestamp;
use crate::collection::Collection;
use crate::service::Bearer;
use crate::world::Shared;

use super::Transfer;
use super::answer::{Answer, Document};
use super::directory::is_escape;
use super::error::TransferError;
use super::work::Done;

/// How many tasks are remembered.
pub(super) const KEPT: usize = 1_000;

/// A task that is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(super) id: Uuid,
    pub(super) submission: Uuid,
    pub(super) owner: Uuid,
    document: Value,
}

/// What a task was to do.
pub(super) struct Kind<'a> {
    /// `delete` or `transfer`.
    pub(super) name: &'static str,
    pub(super) source: &'a Collection,
    pub(super) destination: Option<&'a Collection>,
    pub(super) label: Option<&'a str>,
}

impl Task {
    pub(super) fn over(
        owner: Uuid,
        submission: Uuid,
        kind: &Kind<'_>,
        at: SystemTime,
        (done, result): (Done, Result<(), (String, io::Error)>),
    ) -> Self {
        let id = Uuid::new_v4();
        let at = timestamp(at)
            .strftime("%Y-%m-%dT%H:%M:%S+00:00")
            .to_string();
        let failed = result.is_err();
        let fatal = result.err().map(|(path, error)| {
            json!({"code": code(&error), "description": format!("{path}: {error}")})
        });
        let (succeeded, count) = (u32::from(!failed), u32::from(failed));
        let moved = if kind.destination.is_some() {
            done.files
        } else {
            0
        };
        let document = json!({
            "DATA_TYPE": "task",
            "task_id": id,
            "type": kind.name.to_uppercase(),
            "status": if failed { "FAILED" } else { "SUCCEEDED" },
            "label": kind.label,
            "request_time": at,
            "completion_time": at,
            "deadline": at,
            "source_endpoint_id": kind.source.id,
            "source_endpoint_display_name": kind.source.name,
            "destination_endpoint_id": kind.destination.map(|collection| collection.id),
            "destination_endpoint_display_name": kind.destination.map(|collection| &collection.name),
            "owner_id": owner,
            "files": done.files,
            "directories": done.directories,
            "files_transferred": moved,
            "files_skipped": 0,
            "bytes_transferred": done.bytes,
            "bytes_checksummed": 0,
            "effective_bytes_per_second": done.bytes,
            "faults": count,
            "subtasks_total": 1,
            "subtasks_succeeded": succeeded,
            "subtasks_failed": count,
            "subtasks_pending": 0,
            "subtasks_retrying": 0,
            "subtasks_canceled": 0,
            "subtasks_expired": 0,
            "subtasks_skipped_errors": 0,
            "fatal_error": fatal,
            "is_ok": null,
            "is_paused": false,
            "nice_status": null,
            "nice_status_details": null,
            "command": "API 0.10",
            "history_deleted": false,
        });
        Self {
            id,
            submission,
            owner,
            document,
        }
    }
}

/// What Transfer calls an error of a collection's server.
fn code(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "FILE_NOT_FOUND",
        io::ErrorKind::IsADirectory => "IS_A_DIRECTORY",
        io::ErrorKind::NotADirectory => "NOT_A_DIRECTORY",
        io::ErrorKind::PermissionDenied if is_escape(error) => "PATH_NOT_ALLOWED",
        io::ErrorKind::PermissionDenied => "PERMISSION_DENIED",
        _ => "ENDPOINT_ERROR",
    }
}

/// `GET task/{id}`: of one's own tasks.
pub(super) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let wanted: Option<Uuid> = id.parse().ok();
    let state = world.state();
    let found = state
        .tasks
        .iter()
        .find(|task| Some(task.id) == wanted && task.owner == caller.user.id());
    let task = found.ok_or_else(|| {
        let message = format!("No task with id '{id}' was found");
        TransferError::new(StatusCode::NOT_FOUND, "ClientError.NotFound", message)
    })?;
    Ok(Document::ok(task.document.clone()))
}
