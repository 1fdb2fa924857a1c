//! The list of the caller's tasks.

use std::cmp::Ordering;

use axum::extract::{Query, State};
use serde_json::Value;

use crate::service::Bearer;
use crate::world::Shared;

use super::Transfer;
use super::answer::Document;
use super::error::TransferError;
use super::filter::name_matches;
use super::page::Page;
use super::task::Task;

/// `GET task_list`. Default order: the last task first.
pub(super) async fn list(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Document, TransferError> {
    let page = Page::parse(&pairs)?;
    let wanted = TaskQuery::parse(&pairs)?;
    let state = world.state();
    let own = state.tasks.iter().rev();
    let own = own.filter(|task| task.owner == caller.user.id() && wanted.accepts(task));
    let mut tasks: Vec<&Task> = own.collect();
    tasks.sort_by(|left, right| wanted.compare(left, right));
    let documents = tasks.into_iter().map(|task| task.document.clone());
    Ok(page.of("task_list", documents.collect()))
}

/// The filters and the order of the list, such as `filter=status:SUCCEEDED/label:~run*` and
/// `orderby=request_time DESC,label`.
struct TaskQuery<'a> {
    /// A task must match all of them.
    clauses: Vec<(&'a str, &'a str)>,
    order: Vec<(&'a str, bool)>,
}

const FILTERS: [&str; 6] = [
    "status",
    "type",
    "task_id",
    "label",
    "request_time",
    "completion_time",
];

/// Fields that tasks can be ordered by, besides [`FILTERS`].
const ORDERS: [&str; 10] = [
    "deadline",
    "source_endpoint_id",
    "source_endpoint_display_name",
    "destination_endpoint_id",
    "destination_endpoint_display_name",
    "bytes_transferred",
    "faults",
    "files",
    "directories",
    "files_skipped",
];

impl<'a> TaskQuery<'a> {
    fn parse(pairs: &'a [(String, String)]) -> Result<Self, TransferError> {
        let mut wanted = Self {
            clauses: Vec::new(),
            order: Vec::new(),
        };
        for (name, value) in pairs {
            match name.as_str() {
                "filter" => {
                    for clause in value.split('/').filter(|clause| !clause.is_empty()) {
                        let (field, value) = clause.split_once(':').unwrap_or((clause, ""));
                        known(field, &FILTERS, &[], "filter")?;
                        wanted.clauses.push((field, value));
                    }
                }
                "filter_status" => wanted.clauses.push(("status", value)),
                "orderby" => {
                    for part in value.split(',') {
                        wanted.order.push(order(part)?);
                    }
                }
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn accepts(&self, task: &Task) -> bool {
        self.clauses.iter().all(|(field, value)| match *field {
            "label" => name_matches(value, task.field(field)),
            "request_time" | "completion_time" => {
                // Times in this format sort as text. A date is a prefix of its times.
                let (from, to) = value.split_once(',').unwrap_or((value, ""));
                let at = task.field(field);
                (from.is_empty() || at >= from) && (to.is_empty() || at < to)
            }
            _ => value.split(',').any(|value| task.field(field) == value),
        })
    }

    fn compare(&self, left: &Task, right: &Task) -> Ordering {
        let each = self.order.iter().map(|(field, descending)| {
            let ordering = compare(&left.document[*field], &right.document[*field]);
            if *descending {
                ordering.reverse()
            } else {
                ordering
            }
        });
        each.fold(Ordering::Equal, Ordering::then)
    }
}

fn known(field: &str, some: &[&str], others: &[&str], what: &str) -> Result<(), TransferError> {
    if some.contains(&field) || others.contains(&field) {
        return Ok(());
    }
    let message = format!("Invalid {what} field '{field}'");
    Err(TransferError::bad_request(message))
}

fn order(part: &str) -> Result<(&str, bool), TransferError> {
    let (field, direction) = part.trim().split_once(' ').unwrap_or((part.trim(), "ASC"));
    known(field, &FILTERS, &ORDERS, "orderby")?;
    match direction.trim().to_ascii_uppercase().as_str() {
        "ASC" => Ok((field, false)),
        "DESC" => Ok((field, true)),
        _ => Err(TransferError::bad_request(format!(
            "Invalid orderby '{part}'"
        ))),
    }
}

/// Compares numbers by value and other values as text. An absent value comes first.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left.as_u64(), right.as_u64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_str().cmp(&right.as_str()),
    }
}
