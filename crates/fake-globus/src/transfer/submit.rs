//! The submission of tasks: `submission_id`, `delete` and `transfer`.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::record::push_last;
use crate::service::{Bearer, Caller};
use crate::state::Served;
use crate::world::{Shared, World};

use super::answer::{Answer, Document};
use super::copy::{Copying, Sides, Sync};
use super::directory::Directory;
use super::error::{self, TransferError};
use super::rule::Rule;
use super::task::{KEPT, Kind, Settings, Task};
use super::work::Done;
use super::{Transfer, access};

/// A submission. Fields with no effect on the files, such as notifications, are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Submission {
    submission_id: Option<Uuid>,
    label: Option<String>,
    #[serde(rename = "DATA", default)]
    items: Vec<Item>,
    /// Fields of a deletion.
    endpoint: Option<String>,
    recursive: Option<bool>,
    #[serde(default)]
    ignore_missing: bool,
    #[serde(default)]
    interpret_globs: bool,
    /// Fields of a transfer.
    source_endpoint: Option<String>,
    destination_endpoint: Option<String>,
    #[serde(default)]
    delete_destination_extra: bool,
    sync_level: Option<u64>,
    filter_rules: Option<Vec<Rule>>,
    #[serde(default)]
    skip_source_errors: bool,
    #[serde(default)]
    preserve_timestamp: bool,
}

#[derive(Debug, Deserialize)]
struct Item {
    path: Option<String>,
    source_path: Option<String>,
    destination_path: Option<String>,
    recursive: Option<bool>,
}

/// An item of a transfer.
struct Copied {
    source: String,
    target: String,
    recursive: Option<bool>,
}

impl Copied {
    fn of(item: Item) -> Result<Self, TransferError> {
        Ok(Self {
            source: path_in(item.source_path, "source_path")?,
            target: path_in(item.destination_path, "destination_path")?,
            recursive: item.recursive,
        })
    }
}

type Body = Result<Json<Submission>, JsonRejection>;
type Ended = (Done, Result<(), (String, io::Error)>);

/// `GET submission_id`: an id for a submission. Repeated submissions with one id create one task.
pub(super) async fn id(_: Bearer<Transfer>) -> Document {
    Document::ok(json!({"DATA_TYPE": "submission_id", "value": Uuid::new_v4()}))
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    body: Body,
) -> Answer {
    let (world, caller) = (&*world, &*caller);
    let (submission, id) = read(body, "delete")?;
    let served = endpoint(world, caller, submission.endpoint.as_deref())?;
    let kind = Kind {
        name: "delete",
        source: &served.collection,
        destination: None,
        label: submission.label.as_deref(),
        settings: Settings::default(),
    };
    let directory = served.directory.clone();
    let items = submission.items.into_iter();
    let paths = items
        .map(|item| path_in(item.path, "path"))
        .collect::<Result<Vec<_>, _>>()?;
    let recursive = submission.recursive == Some(true);
    let (globs, ignore_missing) = (submission.interpret_globs, submission.ignore_missing);
    let work = move || remove_all(&directory, &paths, recursive, globs, ignore_missing);
    once(world, caller, id, &kind, work).await
}

pub(super) async fn transfer(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    body: Body,
) -> Answer {
    let (world, caller) = (&*world, &*caller);
    let (submission, id) = read(body, "transfer")?;
    let source = endpoint(world, caller, submission.source_endpoint.as_deref())?;
    let destination = endpoint(world, caller, submission.destination_endpoint.as_deref())?;
    let how = copying(&submission)?;
    let kind = Kind {
        name: "transfer",
        source: &source.collection,
        destination: Some(&destination.collection),
        label: submission.label.as_deref(),
        settings: Settings {
            sync_level: submission.sync_level,
            filter_rules: submission.filter_rules.as_deref(),
            skip_source_errors: how.skips_source_errors,
            preserve_timestamp: how.keeps_times,
            delete_destination_extra: how.deletes_extra,
        },
    };
    let (from, to) = (source.directory.clone(), destination.directory.clone());
    let items = submission.items.into_iter();
    let items = items.map(Copied::of).collect::<Result<Vec<_>, _>>()?;
    once(world, caller, id, &kind, move || {
        copy_all(&from, &to, &how, &items)
    })
    .await
}

/// The options of a submission.
fn copying(submission: &Submission) -> Result<Copying, TransferError> {
    let level = |number| {
        let invalid = || TransferError::bad_request(format!("Invalid sync_level {number}"));
        Sync::level(number).ok_or_else(invalid)
    };
    Ok(Copying {
        sync: submission.sync_level.map(level).transpose()?,
        rules: submission.filter_rules.clone().unwrap_or_default(),
        deletes_extra: submission.delete_destination_extra,
        skips_source_errors: submission.skip_source_errors,
        keeps_times: submission.preserve_timestamp,
    })
}

/// Performs the work as a task, unless an earlier submission with this id created one.
async fn once(
    world: &World,
    caller: &Caller,
    submission: Uuid,
    kind: &Kind<'_>,
    work: impl FnOnce() -> Ended + Send + 'static,
) -> Answer {
    let owner = caller.user.id();
    // One submission at a time, so that a repeated one waits for the task of the first.
    let _turn = world.submitting.lock().await;
    if let Some(task) = known(world, owner, submission) {
        return Ok(accepted(kind.name, submission, task, true));
    }
    let began = world.clock.now();
    let task = Task::ended(owner, submission, kind, began, on_disk(work).await);
    let id = task.id;
    push_last(&mut world.state().tasks, task, KEPT);
    Ok(accepted(kind.name, submission, id, false))
}

fn read(body: Body, what: &str) -> Result<(Submission, Uuid), TransferError> {
    let submission = error::body(body)?;
    let id = submission
        .submission_id
        .ok_or_else(|| TransferError::bad_request("A submission_id is required"))?;
    if submission.items.is_empty() {
        let message = format!("A {what} requires at least one item");
        let code = "ClientError.BadRequest.NoTransferItems";
        return Err(TransferError::new(StatusCode::BAD_REQUEST, code, message));
    }
    Ok((submission, id))
}

/// The path in the field `name` of an item. Without one, the root of the collection would be meant.
fn path_in(field: Option<String>, name: &str) -> Result<String, TransferError> {
    field.ok_or_else(|| TransferError::bad_request(format!("Each item requires a {name}")))
}

fn endpoint(
    world: &World,
    caller: &Caller,
    id: Option<&str>,
) -> Result<Arc<Served>, TransferError> {
    let id = id.ok_or_else(|| TransferError::bad_request("An endpoint is required"))?;
    access::collection(world, caller, id)
}

fn known(world: &World, owner: Uuid, submission: Uuid) -> Option<Uuid> {
    let state = world.state();
    let mut tasks = state.tasks.iter();
    let task = tasks.find(|task| task.submission == submission && task.owner == owner);
    task.map(|task| task.id)
}

fn accepted(what: &str, submission: Uuid, task: Uuid, again: bool) -> Document {
    let (status, code, message) = if again {
        let message = format!("The {what} with this submission_id was already accepted");
        (StatusCode::OK, "Duplicate", message)
    } else {
        let message = format!(
            "The {what} has been accepted and a task has been created and queued for execution"
        );
        (StatusCode::ACCEPTED, "Accepted", message)
    };
    let document = json!({
        "DATA_TYPE": format!("{what}_result"),
        "code": code,
        "message": message,
        "submission_id": submission,
        "task_id": task,
        "task_link": {
            "DATA_TYPE": "link",
            "href": format!("/v0.10/task/{task}?format=json"),
            "rel": "related",
            "resource": "task",
            "title": "related task",
        },
    });
    Document(status, document)
}

/// Performs the work on a thread that may block.
async fn on_disk(work: impl FnOnce() -> Ended + Send + 'static) -> Ended {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| {
        (
            Done::default(),
            Err((String::new(), io::Error::other(error))),
        )
    })
}

fn remove_all(
    directory: &Directory,
    given: &[String],
    recursive: bool,
    globs: bool,
    ignore_missing: bool,
) -> Ended {
    let mut done = Done::default();
    for given in given {
        let paths = if globs {
            directory.matching(given)
        } else {
            Ok(vec![given.clone()])
        };
        let removed = paths.and_then(|paths| {
            paths
                .iter()
                .try_for_each(|path| directory.remove(path, recursive, &mut done))
        });
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound && ignore_missing => {}
            Err(error) => return (done, Err((given.clone(), error))),
            Ok(()) => {}
        }
    }
    (done, Ok(()))
}

fn copy_all(from: &Directory, to: &Directory, how: &Copying, items: &[Copied]) -> Ended {
    let sides = Sides { from, to, how };
    let mut done = Done::default();
    for item in items {
        let (source, target) = (&item.source, &item.target);
        if let Err(error) = sides.copy(source, target, item.recursive, &mut done) {
            return (done, Err((source.clone(), error)));
        }
    }
    (done, Ok(()))
}
