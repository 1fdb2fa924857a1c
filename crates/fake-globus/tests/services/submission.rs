//! Submits tasks.

use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Fixture, json as document_of, ok, text};

pub(crate) async fn post(fixture: &Fixture, what: &str, document: &Value) -> Response {
    let path = format!("v0.10/{what}");
    fixture.post_json(&path, &fixture.token(), document).await
}

pub(crate) fn deletion(fixture: &Fixture, path: &str) -> Value {
    json!({
        "DATA_TYPE": "delete",
        "submission_id": Uuid::new_v4(),
        "endpoint": fixture.collection,
        "DATA": [{"DATA_TYPE": "delete_item", "path": path}],
    })
}

pub(crate) fn copying(fixture: &Fixture, from: &str, to: &str) -> Value {
    json!({
        "DATA_TYPE": "transfer",
        "submission_id": Uuid::new_v4(),
        "source_endpoint": fixture.collection,
        "destination_endpoint": fixture.collection,
        "DATA": [{"DATA_TYPE": "transfer_item", "source_path": from, "destination_path": to}],
    })
}

/// Submits a task; returns its document.
pub(crate) async fn submit(fixture: &Fixture, what: &str, document: &Value) -> Value {
    let answer = post(fixture, what, document).await;
    assert_eq!(answer.status(), 202);
    let result = document_of(answer).await;
    assert_eq!(result["code"], "Accepted");
    let task = format!("v0.10/task/{}", text(&result, "/task_id"));
    ok(fixture.get(&task, &fixture.token()).await).await
}

pub(crate) async fn copy(fixture: &Fixture, from: &str, to: &str) -> Value {
    submit(fixture, "transfer", &copying(fixture, from, to)).await
}

/// Submits a task that fails; returns the code of its error.
pub(crate) async fn failure(fixture: &Fixture, what: &str, document: &Value) -> String {
    let task = submit(fixture, what, document).await;
    assert_eq!(task["status"], "FAILED", "{task}");
    text(&task, "/fatal_error/code").to_owned()
}
