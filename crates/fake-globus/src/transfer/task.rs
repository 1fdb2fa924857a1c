//! Tasks: deletions and transfers. Each has ended when its submission is answered.

use std::io;
use std::sync::LazyLock;
use std::time::SystemTime;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::timestamp;
use crate::collection::Collection;
use crate::service::Bearer;
use crate::template;
use crate::world::Shared;

use super::Transfer;
use super::answer::Document;
use super::directory::is_escape;
use super::error::{self, TransferError};
use super::page::{self, Page};
use super::rule::Rule;
use super::work::{Done, Skipped};

/// How many tasks are kept.
pub(super) const KEPT: usize = 1_000;

/// An ended task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(super) id: Uuid,
    pub(super) submission: Uuid,
    pub(super) owner: Uuid,
    pub(super) document: Value,
    /// The documents of copied files.
    #[serde(default)]
    pub(super) transferred: Vec<Value>,
    /// The documents of skipped paths.
    #[serde(default)]
    pub(super) skipped: Vec<Value>,
}

/// The work of a task.
pub(super) struct Kind<'a> {
    /// `delete` or `transfer`.
    pub(super) name: &'static str,
    pub(super) source: &'a Collection,
    pub(super) destination: Option<&'a Collection>,
    pub(super) label: Option<&'a str>,
    pub(super) settings: Settings<'a>,
}

/// The settings of a transfer in the document of its task.
#[derive(Default, Serialize)]
pub(super) struct Settings<'a> {
    pub(super) sync_level: Option<u64>,
    pub(super) filter_rules: Option<&'a [Rule]>,
    pub(super) skip_source_errors: bool,
    pub(super) preserve_timestamp: bool,
    pub(super) delete_destination_extra: bool,
}

impl Task {
    pub(super) fn ended(
        owner: Uuid,
        submission: Uuid,
        kind: &Kind<'_>,
        at: SystemTime,
        (done, result): (Done, Result<(), (String, io::Error)>),
    ) -> Self {
        let task_id = Uuid::new_v4();
        let at = timestamp(at)
            .strftime("%Y-%m-%dT%H:%M:%S+00:00")
            .to_string();
        let failed = result.is_err();
        let fatal_error = result.err().map(|(path, error)| {
            json!({"code": code(&error), "description": format!("{path}: {error}")})
        });
        let copies = kind.destination.is_some();
        let fields = Fields {
            task_id,
            kind: kind.name.to_uppercase(),
            status: if failed { "FAILED" } else { "SUCCEEDED" },
            label: kind.label,
            request_time: &at,
            completion_time: &at,
            deadline: &at,
            source_endpoint: kind.source.id,
            source_endpoint_id: kind.source.id,
            source_endpoint_display_name: &kind.source.name,
            destination_endpoint: kind.destination.map(|collection| collection.id),
            destination_endpoint_id: kind.destination.map(|collection| collection.id),
            destination_endpoint_display_name: kind.destination.map(|c| c.name.as_str()),
            owner_id: owner,
            username: format!("u_{}", owner.simple()),
            files: done.files,
            directories: done.directories,
            files_transferred: if copies { done.files } else { 0 },
            files_skipped: done.skipped_files,
            subtasks_skipped_errors: done.skipped_errors.len(),
            settings: &kind.settings,
            bytes_transferred: done.bytes,
            effective_bytes_per_second: done.bytes,
            faults: u32::from(failed),
            subtasks_succeeded: u32::from(!failed),
            subtasks_failed: u32::from(failed),
            fatal_error,
        };
        Self {
            id: task_id,
            submission,
            owner,
            document: template::over(&TASK, &fields),
            transferred: done.transferred.iter().map(transferred).collect(),
            skipped: skipped(&done.skipped_errors, &at),
        }
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.document[name].as_str().unwrap_or_default()
    }

    /// The events, the last one first.
    fn events(&self) -> [Value; 2] {
        let failed = self.field("status") == "FAILED";
        let error = &self.document["fatal_error"];
        let ended = if failed {
            ("FAILED", error["description"].as_str().unwrap_or_default())
        } else {
            ("SUCCEEDED", "succeeded")
        };
        [ended, ("STARTED", "started")].map(|(code, description)| {
            json!({
                "DATA_TYPE": "event",
                "code": code,
                "description": description,
                "details": description,
                "is_error": code == "FAILED",
                "parent_task_id": null,
                "time": self.document["completion_time"],
            })
        })
    }
}

static TASK: LazyLock<Map<String, Value>> =
    LazyLock::new(|| template::read(include_str!("../../data/transfer/task.json")));

/// The fields that differ between tasks. The template has the others.
#[derive(Serialize)]
struct Fields<'a> {
    task_id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    status: &'a str,
    label: Option<&'a str>,
    request_time: &'a str,
    completion_time: &'a str,
    deadline: &'a str,
    source_endpoint: Uuid,
    source_endpoint_id: Uuid,
    source_endpoint_display_name: &'a str,
    destination_endpoint: Option<Uuid>,
    destination_endpoint_id: Option<Uuid>,
    destination_endpoint_display_name: Option<&'a str>,
    owner_id: Uuid,
    username: String,
    files: u64,
    directories: u64,
    files_transferred: u64,
    files_skipped: u64,
    subtasks_skipped_errors: usize,
    bytes_transferred: u64,
    effective_bytes_per_second: u64,
    faults: u32,
    subtasks_succeeded: u32,
    subtasks_failed: u32,
    fatal_error: Option<Value>,
    #[serde(flatten)]
    settings: &'a Settings<'a>,
}

fn transferred((source, destination): &(String, String)) -> Value {
    json!({
        "DATA_TYPE": "successful_transfer",
        "source_path": source,
        "destination_path": destination,
    })
}

fn skipped(errors: &[Skipped], at: &str) -> Vec<Value> {
    let document = |skipped: &Skipped| {
        json!({
            "DATA_TYPE": "skipped_error",
            "source_path": skipped.source_path,
            "destination_path": skipped.destination_path,
            "error_code": code(&skipped.error),
            "error_details": skipped.error.to_string(),
            "error_time": at,
            "is_directory": false,
            "is_symlink": false,
            "is_delete_destination_extra": false,
            "checksum_algorithm": null,
            "external_checksum": null,
        })
    };
    errors.iter().map(document).collect()
}

/// The code of Transfer for an error of a collection's server.
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

/// Extracts a task of the caller by the id in the path.
pub(super) struct OwnTask(Task);

impl FromRequestParts<Shared> for OwnTask {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Shared) -> Result<Self, Response> {
        let caller = Bearer::<Transfer>::from_request_parts(parts, world).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, world)
            .await
            .map_err(IntoResponse::into_response)?;
        let wanted: Option<Uuid> = id.parse().ok();
        let state = world.state();
        let mut tasks = state.tasks.iter();
        let found = tasks.find(|task| Some(task.id) == wanted && task.owner == caller.user.id());
        found.cloned().map(Self).ok_or_else(|| {
            let message = format!("No task with id '{id}' was found");
            let code = "ClientError.NotFound";
            TransferError::new(StatusCode::NOT_FOUND, code, message).into_response()
        })
    }
}

/// `GET task/{id}`.
pub(super) async fn one(OwnTask(task): OwnTask) -> Document {
    Document::ok(task.document)
}

/// `POST task/{id}/cancel`. Every task has already ended.
pub(super) async fn cancel(OwnTask(_): OwnTask) -> Document {
    Document::ok(json!({
        "DATA_TYPE": "result",
        "code": "TaskComplete",
        "message": "The task completed before the cancel request was processed.",
    }))
}

/// `GET task/{id}/event_list`.
pub(super) async fn events(
    OwnTask(task): OwnTask,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Document, TransferError> {
    let page = Page::parse(&pairs)?;
    Ok(page.of("event_list", task.events().into()))
}

/// `GET task/{id}/successful_transfers`.
pub(super) async fn successful_transfers(
    OwnTask(task): OwnTask,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Document, TransferError> {
    page::marked("successful_transfers", &pairs, task.transferred)
}

/// `GET task/{id}/skipped_errors`.
pub(super) async fn skipped_errors(
    OwnTask(task): OwnTask,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Document, TransferError> {
    page::marked("skipped_errors", &pairs, task.skipped)
}

/// `PUT task/{id}`: changes the label or the deadline.
pub(super) async fn update(
    State(world): State<Shared>,
    OwnTask(task): OwnTask,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Result<Document, TransferError> {
    let mut changes = error::body(body)?;
    changes.retain(|name, _| name != "DATA_TYPE");
    for (name, value) in &changes {
        let is_valid = value.is_string() || value.is_null() && name == "label";
        if !is_valid || !matches!(name.as_str(), "label" | "deadline") {
            let message = format!("The field '{name}' of a task cannot be changed to {value}");
            return Err(TransferError::bad_request(message));
        }
    }
    let mut state = world.state();
    let mut tasks = state.tasks.iter_mut();
    if let Some(kept) = tasks.find(|kept| kept.id == task.id)
        && let Value::Object(fields) = &mut kept.document
    {
        fields.extend(changes);
    }
    Ok(Document::ok(json!({
        "DATA_TYPE": "result",
        "code": "Updated",
        "message": "Updated task successfully",
    })))
}
