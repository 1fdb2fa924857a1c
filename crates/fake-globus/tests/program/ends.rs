//! The end of the program.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::Running;

#[cfg(unix)]
#[checks::test]
fn program_runs_on_if_nobody_reads_its_messages() {
    let mut running = Running::start(&["--auto"]);
    running.close_messages();
    running.variables();
    assert!(running.terminate());
}

#[cfg(unix)]
#[checks::test]
fn program_ends_promptly_and_removes_its_files() {
    let temporary = tempfile::tempdir().expect("a directory");
    let set = |command: &mut std::process::Command| {
        command.env("TMPDIR", temporary.path());
    };
    // A login that takes an hour is in progress.
    let mut running = Running::with(&["--auto", "--delay-ms", "3600000"], set);
    let variables = running.variables();
    let files = || {
        std::fs::read_dir(temporary.path())
            .expect("a directory")
            .count()
    };
    assert_eq!(files(), 1);
    let url = &variables["FAKE_GLOBUS_URL"];
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("a connection");
    let client = &variables["GLOBUS_CLIENT_ID"];
    let query = format!(
        "client_id={client}&redirect_uri=http://127.0.0.1:1/&response_type=code&scope=openid\
         &code_challenge_method=S256&code_challenge={}",
        "x".repeat(43)
    );
    let request = format!("GET /v2/oauth2/authorize?{query} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");

    let start = Instant::now();
    assert!(running.terminate());
    let took = start.elapsed();
    // It takes less than a second. A busy machine may need more.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(files(), 0);
    let mut rest = String::new();
    let end = stream.read_to_string(&mut rest);
    assert!(rest.is_empty(), "{end:?}: {rest}");
}
