//! Tasks: deletions and transfers.

use std::fs;
use std::time::Duration;

use fake_globus::Identity;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::submission::{copy, copying, deletion, failure, post, submit};
use crate::support::{ALL, Fixture, document_code, json as document_of, ok, send, text, texts};

#[checks::test]
async fn repeated_submission_deletes_once() {
    let fixture = Fixture::open().await;
    let file = fixture.dir.path().join("hello.txt");
    let document = deletion(&fixture, "/~/hello.txt");
    let task = submit(&fixture, "delete", &document).await;
    assert_eq!(task["status"], "SUCCEEDED");
    assert_eq!(task["type"], "DELETE");
    assert!(!file.exists());
    fs::write(&file, "again").expect("a file");
    let again = document_of(post(&fixture, "delete", &document).await).await;
    assert_eq!(again["code"], "Duplicate");
    assert_eq!(again["task_id"], task["task_id"]);
    assert!(file.exists());
}

#[checks::test]
async fn submissions_at_once_with_one_id_make_one_task() {
    let fixture = Fixture::open().await;
    let document = copying(&fixture, "/hello.txt", "/copy.txt");
    let answers = tokio::join!(
        post(&fixture, "transfer", &document),
        post(&fixture, "transfer", &document),
        post(&fixture, "transfer", &document),
    );
    let mut codes = Vec::new();
    for answer in [answers.0, answers.1, answers.2] {
        codes.push(text(&document_of(answer).await, "/code").to_owned());
    }
    codes.sort();
    assert_eq!(codes, ["Accepted", "Duplicate", "Duplicate"]);
}

#[checks::test]
async fn directory_is_deleted_only_recursively() {
    let fixture = Fixture::open().await;
    let sub = fixture.dir.path().join("sub");
    fs::create_dir(&sub).expect("a directory");
    fs::write(sub.join("deep.txt"), "deep").expect("a file");
    let rejected = failure(&fixture, "delete", &deletion(&fixture, "/sub/")).await;
    assert_eq!(rejected, "IS_A_DIRECTORY");
    assert!(sub.exists());
    let mut recursive = deletion(&fixture, "/sub/");
    recursive["recursive"] = true.into();
    let task = submit(&fixture, "delete", &recursive).await;
    assert_eq!(task["status"], "SUCCEEDED", "{task}");
    assert!(!sub.exists() && fixture.dir.path().join("hello.txt").exists());
    let missing = failure(&fixture, "delete", &deletion(&fixture, "/sub/")).await;
    assert_eq!(missing, "FILE_NOT_FOUND");
    let mut ignoring = deletion(&fixture, "/sub/");
    ignoring["ignore_missing"] = true.into();
    let task = submit(&fixture, "delete", &ignoring).await;
    assert_eq!(task["status"], "SUCCEEDED");
}

#[checks::test]
async fn transfer_copies_files_and_directories() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file");
    let task = copy(&fixture, "/hello.txt", "/new/copy.txt").await;
    assert_eq!(task["files"], 1);
    assert_eq!(task["bytes_transferred"], 5);
    assert_eq!(read("new/copy.txt"), "hello");
    // A directory copied into itself: only the entries that existed before.
    copy(&fixture, "/new/", "/new/new/").await;
    assert_eq!(read("new/new/copy.txt"), "hello");
    assert!(!root.join("new/new/new").exists());
    // A file copied onto itself.
    copy(&fixture, "/hello.txt", "/hello.txt").await;
    assert_eq!(read("hello.txt"), "hello");
    let left = fs::read_dir(root).expect("a directory");
    assert_eq!(left.count(), 2);
}

#[cfg(unix)]
#[checks::test]
async fn task_touches_nothing_outside_the_directory() {
    let fixture = Fixture::open().await;
    let outside = tempfile::tempdir().expect("a directory");
    let secret = outside.path().join("secret.txt");
    fs::write(&secret, "secret").expect("a file");
    let link = fixture.dir.path().join("out");
    std::os::unix::fs::symlink(outside.path(), &link).expect("a link");
    for path in ["/out/secret.txt", "/../secret.txt"] {
        let code = failure(&fixture, "delete", &deletion(&fixture, path)).await;
        let expected = ["PATH_NOT_ALLOWED", "FILE_NOT_FOUND"];
        assert!(expected.contains(&code.as_str()), "{code}");
        let stolen = copying(&fixture, path, "/stolen.txt");
        failure(&fixture, "transfer", &stolen).await;
    }
    let planted = copying(&fixture, "/hello.txt", "/out/planted.txt");
    let rejected = failure(&fixture, "transfer", &planted).await;
    assert_eq!(rejected, "PATH_NOT_ALLOWED");
    assert!(!fixture.dir.path().join("stolen.txt").exists());
    assert!(!outside.path().join("planted.txt").exists());
    let rejected = failure(&fixture, "delete", &deletion(&fixture, "/")).await;
    assert_eq!(rejected, "PATH_NOT_ALLOWED");
    // The link itself is inside the directory.
    submit(&fixture, "delete", &deletion(&fixture, "/out")).await;
    assert!(secret.exists() && !link.exists());
}

#[checks::test]
async fn submission_challenges_an_old_session() {
    let fixture = Fixture::new(|c| c.domain("uchicago.edu").session_minutes(10)).await;
    let token = fixture.token();
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let document = deletion(&fixture, "/hello.txt");
    let challenged = fixture.post_json("v0.10/delete", &token, &document).await;
    assert_eq!(challenged.status(), 502);
    let challenged = document_of(challenged).await;
    assert!(
        challenged["authorization_parameters"].is_object(),
        "{challenged}"
    );
    assert!(fixture.dir.path().join("hello.txt").exists());
}

#[checks::test]
async fn invalid_tasks_and_unknown_ids_are_rejected() {
    let fixture = Fixture::open().await;
    let mut document = copying(&fixture, "/hello.txt", "/copy.txt");
    for (field, value) in [
        ("sync_level", json!(4)),
        ("filter_rules", json!([{"name": "*", "method": "maybe"}])),
    ] {
        let mut document = document.clone();
        document[field] = value;
        let rejected = post(&fixture, "transfer", &document).await;
        assert_eq!(rejected.status(), 400, "{field}");
    }
    document["DATA"] = json!([]);
    let rejected = document_code(post(&fixture, "transfer", &document).await, 400).await;
    assert_eq!(rejected, "ClientError.BadRequest.NoTransferItems");
    let task = format!("v0.10/task/{}", Uuid::new_v4());
    assert_eq!(fixture.get(&task, &fixture.token()).await.status(), 404);
}

#[checks::test]
async fn submission_of_three_megabytes_is_accepted() {
    let fixture = Fixture::open().await;
    let mut document = copying(&fixture, "/hello.txt", "/copy.txt");
    document["label"] = "x".repeat(3 << 20).into();
    let task = submit(&fixture, "transfer", &document).await;
    assert_eq!(task["status"], "SUCCEEDED");
}

#[checks::test]
async fn own_tasks_are_listed_and_filtered() {
    let fixture = Fixture::open().await;
    let mut document = copying(&fixture, "/hello.txt", "/copy.txt");
    document["label"] = "Copy of hello".into();
    submit(&fixture, "transfer", &document).await;
    failure(&fixture, "delete", &deletion(&fixture, "/nowhere.txt")).await;
    for (query, types) in [
        ("", &["DELETE", "TRANSFER"][..]),
        ("?filter=status:SUCCEEDED", &["TRANSFER"]),
        ("?filter=type:TRANSFER,DELETE/status:FAILED", &["DELETE"]),
        ("?filter_status=ACTIVE", &[]),
        ("?limit=1&offset=1", &["TRANSFER"]),
        ("?orderby=type ASC", &["DELETE", "TRANSFER"]),
        ("?orderby=status,type DESC", &["DELETE", "TRANSFER"]),
        ("?orderby=files DESC", &["TRANSFER", "DELETE"]),
        ("?filter=label:~copy*", &["TRANSFER"]),
        ("?filter=request_time:2000-01-01,2001-01-01", &[]),
        ("?filter=request_time:2000-01-01", &["DELETE", "TRANSFER"]),
    ] {
        let list = fixture
            .get(&format!("v0.10/task_list{query}"), &fixture.token())
            .await;
        let list = ok(list).await;
        assert_eq!(texts(&list, "/DATA", "/type"), types, "{query}");
        assert_eq!(list["length"], types.len(), "{query}");
    }
    for query in [
        "?filter=nonsense:x",
        "?limit=x",
        "?orderby=nonsense",
        "?orderby=type UP",
    ] {
        let rejected = fixture
            .get(&format!("v0.10/task_list{query}"), &fixture.token())
            .await;
        assert_eq!(rejected.status(), 400, "{query}");
    }
    let grace = Identity::new("grace", "navy.mil");
    let grace = fixture.globus.issue_token(&grace, ALL).expect("a token");
    let list = ok(fixture.get("v0.10/task_list", &grace).await).await;
    assert_eq!(list["total"], 0);
}

#[checks::test]
async fn events_and_cancel_show_that_a_task_has_ended() {
    let fixture = Fixture::open().await;
    let task = submit(&fixture, "delete", &deletion(&fixture, "/nowhere.txt")).await;
    let path = format!("v0.10/task/{}", text(&task, "/task_id"));
    let token = fixture.token();
    let events = ok(fixture.get(&format!("{path}/event_list"), &token).await).await;
    assert_eq!(texts(&events, "/DATA", "/code"), ["FAILED", "STARTED"]);
    assert_eq!(events["DATA"][0]["is_error"], true);
    let cancelled = fixture
        .post_json(&format!("{path}/cancel"), &token, &json!({}))
        .await;
    assert_eq!(document_code(cancelled, 200).await, "TaskComplete");
}

#[checks::test]
async fn rename_never_replaces_an_entry() {
    let fixture = Fixture::open().await;
    let rename = fixture.operation("rename");
    let token = fixture.token();
    let ask = async |old: &str, new: &str| {
        let body = json!({"DATA_TYPE": "rename", "old_path": old, "new_path": new});
        fixture.post_json(&rename, &token, &body).await
    };
    fixture.make_directory("sub");
    let done = ask("/~/hello.txt", "/sub/moved.txt").await;
    assert_eq!(document_code(done, 200).await, "FileRenamed");
    assert!(fixture.dir.path().join("sub/moved.txt").exists());
    for (old, new, status) in [
        ("/hello.txt", "/x", 404),
        ("/sub/moved.txt", "/sub", 502),
        ("/sub", "/../out", 403),
    ] {
        assert_eq!(ask(old, new).await.status(), status, "{old} {new}");
    }
    let lost = document_of(ask("/sub/moved.txt", "/nowhere/x").await).await;
    let message = text(&lost, "/message");
    assert!(message.contains("'/nowhere/x' not found"), "{message}");
    let empty = fixture.post_json(&rename, &token, &json!({})).await;
    assert_eq!(empty.status(), 400);
}

#[checks::test]
async fn label_of_a_task_is_changed() {
    let fixture = Fixture::open().await;
    let task = copy(&fixture, "/hello.txt", "/copy.txt").await;
    let path = format!("v0.10/task/{}", text(&task, "/task_id"));
    let ask = async |body: &Value| {
        let request = fixture.http.put(fixture.url(&path));
        send(request.bearer_auth(fixture.token()).json(body)).await
    };
    let done = ask(&json!({"DATA_TYPE": "task", "label": "Renamed"})).await;
    assert_eq!(document_code(done, 200).await, "Updated");
    let task = ok(fixture.get(&path, &fixture.token()).await).await;
    assert_eq!(task["label"], "Renamed");
    let status = ask(&json!({"status": "ACTIVE"})).await.status();
    assert_eq!(status, 400);
}
