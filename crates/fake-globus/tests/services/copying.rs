//! The options of a transfer: sync levels, filter rules, skipped errors and deletions.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::submission::{copying, deletion, failure, post, submit};
use crate::support::{Fixture, json as document_of, ok, text, texts};

fn write(path: &Path, content: &str) {
    let parent = path.parent().expect("a parent");
    fs::create_dir_all(parent).expect("a directory");
    fs::write(path, content).expect("a file");
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// Copies the directory `from` to `to`, with more fields of the submission. Returns the task.
async fn copy_directory(fixture: &Fixture, more: Value) -> Value {
    let mut document = copying(fixture, "/from/", "/to/");
    document["DATA"][0]["recursive"] = true.into();
    let (Value::Object(document), Value::Object(more)) = (&mut document, more) else {
        panic!("two documents");
    };
    document.extend(more);
    let task = submit(fixture, "transfer", &Value::Object(document.clone())).await;
    assert_eq!(task["status"], "SUCCEEDED", "{task}");
    task
}

/// The source paths in the list `what` of a task.
async fn sources(fixture: &Fixture, task: &Value, what: &str) -> Vec<String> {
    let path = format!("v0.10/task/{}/{what}", text(task, "/task_id"));
    let list = ok(fixture.get(&path, &fixture.token()).await).await;
    let mut sources: Vec<String> = texts(&list, "/DATA", "/source_path")
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    sources.sort();
    sources
}

#[checks::test]
async fn sync_level_decides_which_files_are_copied() {
    // The file of the destination is absent, has another size, is older, has other content, or is
    // the same.
    for (level, expected) in [
        (0, &["absent"][..]),
        (1, &["absent", "size"]),
        (2, &["absent", "older"]),
        (3, &["absent", "content", "size"]),
    ] {
        let fixture = Fixture::open().await;
        let root = fixture.dir.path();
        let now = SystemTime::now();
        let set = |path: &Path, at: SystemTime| {
            let file = File::options().write(true).open(path).expect("a file");
            file.set_modified(at).expect("a time");
        };
        for (name, source, target, older) in [
            ("absent", "aaaa", None, false),
            ("content", "aaaa", Some("bbbb"), false),
            ("older", "aaaa", Some("aaaa"), true),
            ("same", "aaaa", Some("aaaa"), false),
            ("size", "aaaa", Some("b"), false),
        ] {
            let (from, to) = (root.join("from").join(name), root.join("to").join(name));
            write(&from, source);
            set(&from, now);
            if let Some(target) = target {
                write(&to, target);
                let age = Duration::from_secs(if older { 60 } else { 0 });
                set(&to, now - age);
            }
        }
        let task = copy_directory(&fixture, json!({"sync_level": level})).await;
        let copied = sources(&fixture, &task, "successful_transfers").await;
        let expected: Vec<_> = expected
            .iter()
            .map(|name| format!("/from/{name}"))
            .collect();
        assert_eq!(copied, expected, "level {level}");
        assert_eq!(task["files_skipped"], 5 - copied.len(), "level {level}");
        assert_eq!(task["sync_level"], level);
        for path in copied {
            let name = path.trim_start_matches("/from/");
            let content = fs::read_to_string(root.join("to").join(name));
            assert_eq!(content.expect("a file"), "aaaa", "level {level}: {name}");
        }
    }
}

#[checks::test]
async fn first_matching_filter_rule_decides() {
    let exclude = |name: &str, kind: Option<&str>| json!({"DATA_TYPE": "filter_rule", "method": "exclude", "name": name, "type": kind});
    let include =
        |name: &str| json!({"DATA_TYPE": "filter_rule", "method": "include", "name": name});
    for (rules, expected) in [
        (json!([]), &["a.log", "a.txt", "deep"][..]),
        (json!([exclude("*.log", None)]), &["a.txt", "deep"]),
        (json!([exclude("deep", Some("dir"))]), &["a.log", "a.txt"]),
        (
            json!([exclude("deep", Some("file"))]),
            &["a.log", "a.txt", "deep"],
        ),
        (
            json!([include("*.txt"), exclude("*", Some("file"))]),
            &["a.txt", "deep"],
        ),
        (json!([exclude("*", None), include("*.txt")]), &[]),
        (json!([{"name": "[!b].[tl]?*"}]), &["deep"]),
    ] {
        let fixture = Fixture::open().await;
        let root = fixture.dir.path();
        for name in ["a.txt", "a.log", "deep/b.txt"] {
            write(&root.join("from").join(name), name);
        }
        let task = copy_directory(&fixture, json!({"filter_rules": rules})).await;
        assert_eq!(names(&root.join("to")), expected, "{rules}");
        assert_eq!(
            task["filter_rules"].as_array().map(Vec::len),
            rules.as_array().map(Vec::len)
        );
        if expected.contains(&"deep") {
            let below = names(&root.join("to/deep"));
            assert_eq!(below, ["b.txt"], "{rules}");
        }
    }
}

#[checks::test]
async fn extra_destination_files_are_deleted_on_request() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    write(&root.join("from/kept.txt"), "new");
    for name in ["kept.txt", "extra.txt", "extra/deep.txt", "spared.log"] {
        write(&root.join("to").join(name), "old");
    }
    copy_directory(&fixture, json!({})).await;
    assert!(root.join("to/extra.txt").exists());
    let rules = json!([{"method": "exclude", "name": "*.log"}]);
    let more = json!({"delete_destination_extra": true, "filter_rules": rules});
    copy_directory(&fixture, more).await;
    assert_eq!(names(&root.join("to")), ["kept.txt", "spared.log"]);
    assert_eq!(names(&root.join("from")), ["kept.txt"]);
}

#[checks::test]
async fn excluded_files_in_an_extra_directory_are_kept() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    write(&root.join("from/kept.txt"), "new");
    for name in ["extra/deep.txt", "extra/deeper/spared.log", "gone/deep.txt"] {
        write(&root.join("to").join(name), "old");
    }
    let rules = json!([{"method": "exclude", "name": "*.log"}]);
    let more = json!({"delete_destination_extra": true, "filter_rules": rules});
    copy_directory(&fixture, more).await;
    assert_eq!(names(&root.join("to")), ["extra", "kept.txt"]);
    assert_eq!(names(&root.join("to/extra")), ["deeper"]);
    assert_eq!(names(&root.join("to/extra/deeper")), ["spared.log"]);
}

#[cfg(unix)]
#[checks::test]
async fn extra_directory_is_deleted_with_its_links() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    write(&root.join("from/kept.txt"), "new");
    write(&root.join("to/extra/deep.txt"), "old");
    std::os::unix::fs::symlink("deep.txt", root.join("to/extra/latest")).expect("a link");
    copy_directory(&fixture, json!({"delete_destination_extra": true})).await;
    assert_eq!(names(&root.join("to")), ["kept.txt"]);
}

#[checks::test]
async fn deleting_extra_files_never_deletes_the_source() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    write(&root.join("outer/from/kept.txt"), "kept");
    write(&root.join("outer/extra.txt"), "extra");
    let mut document = copying(&fixture, "/outer/from/", "/outer/");
    document["delete_destination_extra"] = true.into();
    submit(&fixture, "transfer", &document).await;
    assert_eq!(names(&root.join("outer")), ["from", "kept.txt"]);
    assert_eq!(names(&root.join("outer/from")), ["kept.txt"]);
}

#[checks::test]
async fn missing_source_is_skipped_only_on_request() {
    let fixture = Fixture::open().await;
    let mut document = copying(&fixture, "/nowhere.txt", "/copy.txt");
    let code = failure(&fixture, "transfer", &document).await;
    assert_eq!(code, "FILE_NOT_FOUND");
    document["submission_id"] = uuid::Uuid::new_v4().to_string().into();
    document["skip_source_errors"] = true.into();
    let other = json!({"source_path": "/hello.txt", "destination_path": "/copy.txt"});
    document["DATA"].as_array_mut().expect("items").push(other);
    let task = submit(&fixture, "transfer", &document).await;
    assert_eq!(task["status"], "SUCCEEDED", "{task}");
    assert_eq!(task["subtasks_skipped_errors"], 1);
    let skipped = sources(&fixture, &task, "skipped_errors").await;
    assert_eq!(skipped, ["/nowhere.txt"]);
    let copied = sources(&fixture, &task, "successful_transfers").await;
    assert_eq!(copied, ["/hello.txt"]);
}

#[checks::test]
async fn timestamps_are_preserved_on_request() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = File::options().write(true).open(root.join("hello.txt"));
    file.expect("a file").set_modified(at).expect("a time");
    for (preserve, is_kept) in [(false, false), (true, true)] {
        let mut document = copying(&fixture, "/hello.txt", "/copy.txt");
        document["preserve_timestamp"] = preserve.into();
        submit(&fixture, "transfer", &document).await;
        let copy = fs::metadata(root.join("copy.txt")).expect("a file");
        assert_eq!(copy.modified().expect("a time") == at, is_kept);
    }
}

#[checks::test]
async fn successful_transfers_are_paged() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    for number in 0..101 {
        write(&root.join(format!("from/{number}")), "");
    }
    let task = copy_directory(&fixture, json!({})).await;
    let path = format!(
        "v0.10/task/{}/successful_transfers",
        text(&task, "/task_id")
    );
    let token = fixture.token();
    let first = ok(fixture.get(&path, &token).await).await;
    assert_eq!(first["DATA"].as_array().map(Vec::len), Some(100));
    let next = format!("{path}?marker={}", first["next_marker"]);
    let last = ok(fixture.get(&next, &token).await).await;
    assert_eq!(last["DATA"].as_array().map(Vec::len), Some(1));
    assert!(last["next_marker"].is_null());
    let rejected = fixture.get(&format!("{path}?marker=x"), &token).await;
    assert_eq!(rejected.status(), 400);
}

#[checks::test]
async fn deletion_expands_globs_on_request() {
    let fixture = Fixture::open().await;
    let root = fixture.dir.path();
    for name in ["run-1.log", "run-2.log", "run-x.log"] {
        write(&root.join("runs").join(name), "");
    }
    let mut document = crate::submission::deletion(&fixture, "/runs/run-[0-9].*");
    let code = failure(&fixture, "delete", &document).await;
    assert_eq!(code, "FILE_NOT_FOUND");
    document["submission_id"] = uuid::Uuid::new_v4().to_string().into();
    document["interpret_globs"] = true.into();
    submit(&fixture, "delete", &document).await;
    assert_eq!(names(&root.join("runs")), ["run-x.log"]);
}

#[cfg(unix)]
#[checks::test]
async fn fifo_is_not_copied() {
    let fixture = Fixture::open().await;
    fixture.make_fifo("pipe");
    let document = copying(&fixture, "/pipe", "/copy");
    failure(&fixture, "transfer", &document).await;
    assert!(!fixture.dir.path().join("copy").exists());
}

#[checks::test]
async fn item_without_a_path_is_rejected() {
    let fixture = Fixture::open().await;
    for (what, path) in [
        ("transfer", "source_path"),
        ("transfer", "destination_path"),
        ("delete", "path"),
    ] {
        let mut document = match what {
            "delete" => deletion(&fixture, "/hello.txt"),
            _ => copying(&fixture, "/hello.txt", "/copy"),
        };
        let item = document["DATA"][0].as_object_mut().expect("an item");
        item.remove(path);
        let rejected = document_of(post(&fixture, what, &document).await).await;
        assert_eq!(rejected["code"], "BadRequest", "{path}");
        let message = text(&rejected, "/message");
        assert!(message.ends_with(path), "{message}");
    }
    assert_eq!(names(fixture.dir.path()), ["hello.txt"]);
}
