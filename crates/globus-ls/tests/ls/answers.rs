//! Responses of a server that are malformed, or are errors.

use std::os::unix::fs::symlink;
use std::time::Duration;

use checks::site::*;
use fake_globus::{Limit, RequestKind};
use serde_json::Value;

use crate::support::*;

#[checks::test(seconds = 600)]
async fn malformed_response_is_one_error_line() {
    let site = Site::new(PROGRAM).await;
    for answer in [
        "[]",
        "[{\"DATA\": []}]",
        "\"text\"",
        "1",
        "null",
        "true",
        "{}",
        "{\"DATA\": 1}",
        "{\"DATA\": \"text\"}",
        "{\"DATA\": {}}",
        "{\"DATA\": null}",
        "{\"DATA\": []",
        "{\"DATA\": []} {}",
        "",
        "<html>",
    ] {
        for form in ["text", "json", "jsonl"] {
            site.globus.fail_next(RequestKind::List, 200, answer);
            let ran = run(site.with_token(&["--format", form, &site.collection])).await;
            let line = ran.error_line(1);
            assert!(line.contains("is not a listing"), "{answer}: {line}");
        }
    }
}

#[checks::test(seconds = 600)]
async fn malformed_entry_does_not_end_the_listing() {
    let site = Site::new(PROGRAM).await;
    let answer = r#"{"DATA": [
        1, [], null, {}, {"name": 1}, {"name": ""},
        {"name": "a", "type": "file", "size": -5, "permissions": 7, "last_modified": []},
        {"name": "b", "type": {}, "permissions": "999", "last_modified": "never"},
        {"name": "c", "type": "dir", "size": 1e300}
    ], "path": 1, "total": "many"}"#;
    let mut listed = Vec::new();
    for arguments in [&[][..], &["-l", "--utc"], &["--format", "json"]] {
        site.globus.fail_next(RequestKind::List, 200, answer);
        let ran = run(site.with_token(&[arguments, &[&site.collection]].concat())).await;
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 6, "{}", ran.stderr);
        assert!(ran.stderr.contains("an entry without a name"));
        listed.push(ran.stdout);
    }
    assert_eq!(listed[0], "a\nb\nc/\n");
    assert_eq!(
        listed[1],
        "-?????????            -  -                 a\n\
         -?????????            -  never             b\n\
         d?????????            -  -                 c/\n"
    );
    let document: Value = serde_json::from_str(&listed[2]).expect("one document");
    assert_eq!(document["DATA"].as_array().map(Vec::len), Some(3));
    assert_eq!(document["DATA"][0]["size"], -5);
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(6));
}

#[checks::test(seconds = 600)]
async fn failed_directory_does_not_end_the_listing() {
    let site = Site::with_many_files(PROGRAM).await;
    // Following a link would list directories twice.
    symlink(".", site.directory.path().join("around")).expect("a link");
    symlink("figures", site.directory.path().join("more")).expect("a link");
    // The first directory below the top may not be listed.
    let with_forbidden_directory = async |arguments: &[&str]| {
        let top = r#"{"path": "/", "DATA": [
            {"name": "closed", "type": "dir"}, {"name": "figures", "type": "dir"}, {"name": "x", "type": "file"}
        ]}"#;
        site.globus.fail_next(RequestKind::List, 200, top);
        let denied = r#"{"code": "PermissionDenied", "message": "Denied\nfor you"}"#;
        site.globus.fail_next(RequestKind::List, 403, denied);
        run(site.with_token(&[arguments, &["-R", &site.collection]].concat())).await
    };
    let ran = with_forbidden_directory(&["--depth", "1"]).await;
    ran.assert_ended(
        1,
        "closed/\nfigures/\nx\nfigures/old/\nfigures/sketch.svg\n",
    );
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("/closed/") && ran.stderr.contains("ask the collection's owner"),
        "{}",
        ran.stderr
    );
    let ran = with_forbidden_directory(&["--depth", "1", "--format", "json"]).await;
    assert_eq!(ran.code, 1);
    let document: Value = serde_json::from_str(&ran.stdout).expect("one document");
    assert_eq!(document["length"], 5);
    let errors = document["errors"].as_array().expect("errors");
    assert!(
        errors.len() == 1 && errors[0]["message"].to_string().contains("/closed/"),
        "{errors:?}"
    );
}

#[checks::test(seconds = 600)]
async fn too_many_requests_end_a_recursive_listing() {
    let site = Site::with_many_files(PROGRAM).await;
    let top = r#"{"path": "/", "DATA": [
        {"name": "figures", "type": "dir"}, {"name": "more", "type": "dir"}
    ]}"#;
    site.globus.fail_next(RequestKind::List, 200, top);
    site.globus.fail_next(RequestKind::List, 429, "{}");
    let ran = run(site.with_token(&["-R", &site.collection])).await;
    ran.assert_ended(1, "figures/\nmore/\n");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("too many requests"), "{}", ran.stderr);
}

#[checks::test(seconds = 600)]
async fn links_to_directories_are_shown_and_not_followed() {
    let site = Site::new(PROGRAM).await;
    for name in ["around", "again"] {
        symlink(".", site.directory.path().join(name)).expect("a link");
    }
    let lines = site.lines(&["-R", "--depth", "9"]).await;
    let expected = [
        "README.txt",
        "again/",
        "around/",
        "figures/",
        "measurements.csv",
        "figures/sketch.svg",
    ];
    assert_eq!(lines, expected);
    let filtered = site.lines(&["-R", "--filter", "~*.svg"]).await;
    assert_eq!(filtered, ["figures/sketch.svg"]);
}

#[checks::test(seconds = 600)]
async fn error_line_contains_advice() {
    let site = Site::new(PROGRAM).await;
    let ran = run(site.with_token(&[&site.collection, "/README.txt"])).await;
    let line = ran.error_line(1);
    assert!(
        line.contains("is not a directory") && !line.contains("later"),
        "{line}"
    );
    for (status, body, says) in [
        (503, "", "status 503; try again later"),
        (429, "[]", "too many requests"),
        (403, "{\"message\": 1}", "you may not list"),
        (400, "{}", "check the id of the collection, and the path"),
        (
            404,
            r#"{"code": "ClientError.NotFound", "message": "No such path"}"#,
            "No such path (ClientError.NotFound); list the parent directory to see",
        ),
        (
            404,
            r#"{"code": "EndpointDeleted"}"#,
            "EndpointDeleted; search for its id at https://app.globus.org/collections",
        ),
    ] {
        site.globus.fail_next(RequestKind::List, status, body);
        let ran = run(site.with_token(&[&site.collection])).await;
        let line = ran.error_line(1);
        assert!(line.contains(says), "{line}");
    }
    let limit = Limit::next(1).kind(RequestKind::List);
    let limit = limit.retry_after(Duration::from_secs(7));
    site.globus.limit(limit).expect("a limit");
    let ran = run(site.with_token(&[&site.collection])).await;
    let line = ran.error_line(1);
    assert!(line.contains("try again in 7 s"), "{line}");
}

#[checks::test(seconds = 600)]
async fn unusual_entries_are_listed_by_their_kind() {
    let site = Site::new(PROGRAM).await;
    let answer = r#"{"path": "/", "DATA": [
        {"name": "gone", "type": "invalid_symlink"}, {"name": "pipe", "type": "fifo"},
        {"name": "there", "type": "dir", "link_target": "/elsewhere"}
    ]}"#;
    site.globus.fail_next(RequestKind::List, 200, answer);
    let ran = run(site.with_token(&["-l", "--utc", "-R", &site.collection])).await;
    // A link to a directory is not followed.
    ran.assert_ended(
        0,
        "l?????????            -  -                 gone\n\
         -?????????            -  -                 pipe\n\
         l?????????            -  -                 there/\n",
    );
}
