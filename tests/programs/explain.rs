//! `examples/explain.rs`, run as a program.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use checks::corpus::{CORPUS, rows};
use checks::program::example;
use serde_json::{Value, json};

fn explain(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(example("explain"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("explain starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // The program may end before it has read all input.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("explain ran");
    writer.join().expect("written");
    output
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[checks::test(seconds = 600)]
fn one_body_is_explained_as_json() {
    let body = br#"{"authorization_parameters": {"session_required_single_domain": "a,b", "required_scopes": ["s"], "new": 1}}"#;
    let output = explain(
        &[
            "--status",
            "403",
            "--content-type",
            "application/json; charset=utf-8",
        ],
        body,
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
    let expected = json!({"gares": [{
        "code": "AuthorizationRequired",
        "location": "root",
        "authorization_parameters": {"session_required_single_domain": ["a", "b"], "required_scopes": ["s"]},
        "authorize_query": {"session_required_single_domain": "a,b"},
    }]});
    assert_eq!(parsed(&output), expected);
}

#[checks::test(seconds = 600)]
fn quotations_are_marked() {
    let refused = r#"Command Failed: Error (login)\n---\nDetails: 530-x\n530-GridFTP-JSON-Result: {\"authorization_parameters\": {}}"#;
    for (body, quoted) in [
        (format!(r#"{{"exception": "'{refused}'"}}"#), json!(true)),
        (format!(r#"{{"exception": "{refused}"}}"#), Value::Null),
    ] {
        let output = explain(&[], body.as_bytes());
        assert_eq!(parsed(&output)["gares"][0]["quoted"], quoted, "{body}");
        let row = json!({ "body": body }).to_string();
        let output = explain(&["--jsonl"], row.as_bytes());
        assert_eq!(parsed(&output)["gares"][0]["quoted"], quoted, "{body}");
    }
}

#[checks::test(seconds = 600)]
fn too_large_requirement_is_noted() {
    let scope = "s".repeat(4097);
    let body = json!({"authorization_parameters": {"required_scopes": [scope]}}).to_string();
    let output = explain(&[], body.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "note: not a requirement: root: a scope of more than 4 KiB\n"
    );
}

#[checks::test(seconds = 600)]
fn body_without_a_gare_exits_with_1() {
    let output = explain(&[], b"\xff\xfe Bad gateway");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(parsed(&output), json!({"gares": []}));
}

#[checks::test(seconds = 600)]
fn response_that_the_layer_would_not_read_is_noted() {
    let body = br#"{"authorization_parameters": {}}"#;
    for (arguments, note) in [
        (&["--status", "200"][..], "status 200"),
        (
            &["--status", "403", "--content-type", "image/png"],
            "image/png",
        ),
        (
            &[
                "--status",
                "502",
                "--content-type",
                "application/vnd.api+json",
            ],
            "",
        ),
    ] {
        let output = explain(arguments, body);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            stderr(&output).contains(note) && stderr(&output).is_empty() == note.is_empty(),
            "{}",
            stderr(&output)
        );
    }
}

#[checks::test(seconds = 600)]
fn corpus_is_explained_row_by_row() {
    let output = explain(&["--jsonl"], CORPUS.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let rows: Vec<_> = rows().collect();
    assert_eq!(answers.len(), rows.len());
    for (answer, row) in answers.iter().zip(&rows) {
        assert_eq!(answer["id"], row.id);
        let gares = answer["gares"].as_array().expect("a list");
        let params: Value = gares
            .iter()
            .map(|gare| gare["authorization_parameters"].clone())
            .collect();
        match &row.expect {
            Value::String(_) => assert!(!gares.is_empty(), "{}", row.id),
            expected => assert_eq!(params, *expected, "{}", row.id),
        }
    }
}

#[checks::test(seconds = 600)]
fn malformed_rows_are_named() {
    for (row, reason) in [
        ("{", "EOF"),
        (r#"{"id": "x"}"#, "body"),
        (r#"{"body": 1}"#, "string"),
        ("\u{fe}", "expected"),
    ] {
        let output = explain(
            &["--jsonl"],
            format!("{{\"body\": \"\"}}\n\n{row}\n").as_bytes(),
        );
        assert_eq!(output.status.code(), Some(2), "{row}");
        let message = stderr(&output);
        assert!(
            message.starts_with("explain: line 3:") && message.contains(reason),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert_eq!(
        explain(&["--jsonl"], b"{\"body\": \"\"}\n").status.code(),
        Some(1)
    );
}

#[checks::test(seconds = 600)]
fn wrong_arguments_exit_with_2() {
    for arguments in [
        &["--status", "many"][..],
        &["--what"],
        &["--jsonl", "--status", "403"],
    ] {
        let output = explain(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let help = explain(&["--help"], b"");
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(
        help.contains("--jsonl") && help.contains("Example:") && help.contains("Exit status:"),
        "{help}"
    );
}
