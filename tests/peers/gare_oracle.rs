//! The official Python SDK, to hold ours against.

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Python that has the SDK: `GLOBUS_GARE_PYTHON`, or that of `.venv`; `None` where the peers are to be left out.
///
/// Panics where there is none: a test that silently holds us against nothing is worth nothing.
pub(crate) fn python() -> Option<OsString> {
    if env::var_os("GLOBUS_GARE_SKIP_PEERS").is_some_and(|skip| skip == "1") {
        eprintln!("left out: GLOBUS_GARE_SKIP_PEERS=1");
        return None;
    }
    let python = env::var_os("GLOBUS_GARE_PYTHON")
        .unwrap_or_else(|| format!("{ROOT}/.venv/bin/python").into());
    let imported = Command::new(&python)
        .args(["-c", "import globus_sdk"])
        .output();
    assert!(
        imported.is_ok_and(|output| output.status.success()),
        "{} has no globus_sdk.\nIn {ROOT}: python3 -m venv .venv && .venv/bin/pip install globus-sdk globus-cli\n\
         (or name a Python that has it in GLOBUS_GARE_PYTHON, or leave this test out with GLOBUS_GARE_SKIP_PEERS=1)",
        python.display(),
    );
    Some(python)
}

/// What `gare_oracle.py` says of each of `bodies`.
pub(crate) fn gares(python: &OsString, bodies: &[String]) -> Vec<Value> {
    let mut oracle = Command::new(python)
        .arg(format!("{ROOT}/tests/peers/gare_oracle.py"))
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = oracle.stdin.take().expect("a pipe");
    let stdout = oracle.stdout.take().expect("a pipe");
    let answers: Vec<Value> = thread::scope(|scope| {
        // On a thread of its own: both pipes may be full.
        scope.spawn(move || {
            for body in bodies {
                writeln!(stdin, "{}", Value::from(body.as_str())).expect("Python reads");
            }
        });
        let lines = BufReader::new(stdout).lines();
        lines
            .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"))
            .collect()
    });
    assert!(
        oracle.wait().expect("Python ran").success(),
        "the oracle failed"
    );
    assert_eq!(answers.len(), bodies.len(), "the oracle answers every line");
    answers
}
