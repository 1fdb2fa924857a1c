//! The program in the README, run to its end.

#[path = "readme/program.rs"]
mod program;

use std::convert::Infallible;
use std::io::Write;
use std::process::{Command, Stdio};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body_util::Full;

/// Marks the process in which the program runs.
const CHILD: &str = "GLOBUS_GARE_README_PROGRAM";

/// A stand-in for Transfer, which challenges a request without the token.
async fn transfer(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match request.headers().get(AUTHORIZATION) {
        Some(token) if token == "Bearer AgFresh" => (200, r#"{"DATA_TYPE": "task_list"}"#),
        Some(_) => (403, r#"{"authorization_parameters": {"prompt": "login"}}"#),
        None => (
            401,
            r#"{"code": "ClientError.AuthenticationFailed", "message": "No credentials supplied"}"#,
        ),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

#[checks::test]
fn readme_shows_the_program_that_is_tested() {
    let readme = include_str!("../../README.md");
    let program = include_str!("readme/program.rs");
    let (_, program) = program.split_once("\n\n").expect("a first comment");
    let program = program.replace("pub(crate) ", "");
    assert!(readme.contains(&format!("```rust\n{program}```")));
}

/// The user pastes an old token, and a fresh one at the next prompt.
#[checks::test]
async fn program_in_the_readme_logs_in() {
    if std::env::var_os(CHILD).is_some() {
        let status = program::list_tasks(tower::service_fn(transfer)).await;
        println!("status: {}.", status.expect("an answer"));
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("a test has a path"))
        .args([
            "--exact",
            "readme::program_in_the_readme_logs_in",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut terminal = child.stdin.take().expect("a pipe");
    terminal.write_all(b"AgOld\nAgFresh\n").expect("written");
    let output = child.wait_with_output().expect("it ran");
    let (said, asked) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(said.contains("status: 200 OK."), "{said}\n{asked}");
    let first = "transfer.api.globus.org asks you to log in. Paste a fresh token:";
    let second = "transfer.api.globus.org asks you to log in again. Paste a fresh token:";
    assert!(asked.contains(first) && asked.contains(second), "{asked}");
}
