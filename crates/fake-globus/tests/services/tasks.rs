//! Tasks: deleting and transferring, over the directory on disk.

use std::fs;
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Fixture, text};

async fn post(fixture: &Fixture, what: &str, token: &str, document: &Value) -> Response {
    let request = fixture.http.post(fixture.url(&format!("v0.10/{what}")));
    let request = request.bearer_auth(token).json(document);
    request.send().await.unwrap()
}

fn deletion(fixture: &Fixture, path: &str) -> Value {
    json!({
        "DATA_TYPE": "delete",
        "submission_id": Uuid::new_v4(),
        "endpoint": fixture.collection,
        "DATA": [{"DATA_TYPE": "delete_item", "path": path}],
    })
}

fn copying(fixture: &Fixture, from: &str, to: &str) -> Value {
    json!({
        "DATA_TYPE": "transfer",
        "submission_id": Uuid::new_v4(),
        "source_endpoint": fixture.collection,
        "destination_endpoint": fixture.collection,
        "DATA": [{"DATA_TYPE": "transfer_item", "source_path": from, "destination_path": to}],
    })
}

/// Submits; gives the document of the task.
async fn submit(fixture: &Fixture, what: &str, document: &Value) -> Value {
    let token = fixture.token();
    let answer = post(fixture, what, &token, document).await;
    assert_eq!(answer.status(), 202);
    let result: Value = answer.json().await.unwrap();
    assert_eq!(result["code"], "Accepted");
    let task = format!("v0.10/task/{}", text(&result, "/task_id"));
    fixture.get(&task, &token).await.json().await.unwrap()
}

/// What a task failed with.
async fn failure(fixture: &Fixture, what: &str, document: &Value) -> String {
    let task = submit(fixture, what, document).await;
    assert_eq!(task["status"], "FAILED", "{task}");
    text(&task, "/fatal_error/code").to_owned()
}

#[checks::test]
async fn repeated_submission_deletes_once() {
    let fixture = Fixture::new(|c| c).await;
    let file = fixture.dir.path().join("hello.txt");
    let document = deletion(&fixture, "/~/hello.txt");
    let task = submit(&fixture, "delete", &document).await;
    assert_eq!(
        (&task["status"], &task["type"]),
        (&json!("SUCCEEDED"), &json!("DELETE"))
    );
    assert!(!file.exists());
    fs::write(&file, "again").unwrap();
    let again = post(&fixture, "delete", &fixture.token(), &document).await;
    let again: Value = again.json().await.unwrap();
    assert_eq!(
        (&again["code"], &again["task_id"]),
        (&json!("Duplicate"), &task["task_id"])
    );
    assert!(file.exists());
}

#[checks::test]
async fn directory_is_deleted_only_recursively() {
    let fixture = Fixture::new(|c| c).await;
    let sub = fixture.dir.path().join("sub");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join("deep.txt"), "deep").unwrap();
    let mut document = deletion(&fixture, "/sub/");
    assert_eq!(
        failure(&fixture, "delete", &document).await,
        "IS_A_DIRECTORY"
    );
    assert!(sub.exists());
    document["recursive"] = true.into();
    document["submission_id"] = Uuid::new_v4().to_string().into();
    let task = submit(&fixture, "delete", &document).await;
    assert_eq!(task["status"], "SUCCEEDED", "{task}");
    assert!(!sub.exists() && fixture.dir.path().join("hello.txt").exists());
    let mut missing = deletion(&fixture, "/sub/");
    assert_eq!(
        failure(&fixture, "delete", &missing).await,
        "FILE_NOT_FOUND"
    );
    missing["submission_id"] = Uuid::new_v4().to_string().into();
    missing["ignore_missing"] = true.into();
    assert_eq!(
        submit(&fixture, "delete", &missing).await["status"],
        "SUCCEEDED"
    );
}

#[checks::test]
async fn transfer_copies_files_and_directories() {
    let fixture = Fixture::new(|c| c).await;
    let root = fixture.dir.path();
    let task = submit(
        &fixture,
        "transfer",
        &copying(&fixture, "/hello.txt", "/new/copy.txt"),
    )
    .await;
    assert_eq!(
        (&task["files"], &task["bytes_transferred"]),
        (&json!(1), &json!(5))
    );
    assert_eq!(
        fs::read_to_string(root.join("new/copy.txt")).unwrap(),
        "hello"
    );
    // Into itself: what was there before, once.
    submit(
        &fixture,
        "transfer",
        &copying(&fixture, "/new/", "/new/new/"),
    )
    .await;
    assert_eq!(
        fs::read_to_string(root.join("new/new/copy.txt")).unwrap(),
        "hello"
    );
    assert!(!root.join("new/new/new").exists());
    // Onto itself.
    submit(
        &fixture,
        "transfer",
        &copying(&fixture, "/hello.txt", "/hello.txt"),
    )
    .await;
    assert_eq!(fs::read_to_string(root.join("hello.txt")).unwrap(), "hello");
    let left: Vec<_> = fs::read_dir(root).unwrap().collect();
    assert_eq!(left.len(), 2);
}

#[cfg(unix)]
#[checks::test]
async fn task_touches_nothing_outside_the_directory() {
    let fixture = Fixture::new(|c| c).await;
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.txt");
    fs::write(&secret, "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), fixture.dir.path().join("out")).unwrap();
    for path in ["/out/secret.txt", "/../secret.txt"] {
        let code = failure(&fixture, "delete", &deletion(&fixture, path)).await;
        assert!(
            ["PATH_NOT_ALLOWED", "FILE_NOT_FOUND"].contains(&code.as_str()),
            "{code}"
        );
        failure(
            &fixture,
            "transfer",
            &copying(&fixture, path, "/stolen.txt"),
        )
        .await;
    }
    let planted = copying(&fixture, "/hello.txt", "/out/planted.txt");
    assert_eq!(
        failure(&fixture, "transfer", &planted).await,
        "PATH_NOT_ALLOWED"
    );
    assert!(!fixture.dir.path().join("stolen.txt").exists());
    assert!(!outside.path().join("planted.txt").exists());
    assert_eq!(
        failure(&fixture, "delete", &deletion(&fixture, "/")).await,
        "PATH_NOT_ALLOWED"
    );
    // The link itself is inside.
    submit(&fixture, "delete", &deletion(&fixture, "/out")).await;
    assert!(secret.exists() && !fixture.dir.path().join("out").exists());
}

#[checks::test]
async fn task_of_an_old_session_is_refused() {
    let fixture = Fixture::new(|c| c.domain("uchicago.edu").session_minutes(10)).await;
    let token = fixture.token();
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let refused = post(
        &fixture,
        "delete",
        &token,
        &deletion(&fixture, "/hello.txt"),
    )
    .await;
    assert_eq!(refused.status(), 502);
    let refused: Value = refused.json().await.unwrap();
    assert!(refused["authorization_parameters"].is_object(), "{refused}");
    assert!(fixture.dir.path().join("hello.txt").exists());
}

#[checks::test]
async fn unsupported_tasks_and_unknown_ids_are_refused() {
    let fixture = Fixture::new(|c| c).await;
    let token = fixture.token();
    let mut document = copying(&fixture, "/hello.txt", "/copy.txt");
    document["sync_level"] = 1.into();
    assert_eq!(
        post(&fixture, "transfer", &token, &document).await.status(),
        400
    );
    document["DATA"] = json!([]);
    let refused: Value = post(&fixture, "transfer", &token, &document)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(refused["code"], "ClientError.BadRequest.NoTransferItems");
    let task = format!("v0.10/task/{}", Uuid::new_v4());
    assert_eq!(fixture.get(&task, &token).await.status(), 404);
}
