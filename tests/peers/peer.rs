//! The official Python SDK, asked by the line.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A script of this directory, for the Python that `GLOBUS_GARE_PYTHON` names, or that of `.venv`; `None` where the
/// peers are to be left out.
///
/// Panics where there is none: a test that silently holds us against nothing is worth nothing.
pub(crate) fn script(name: &str) -> Option<Command> {
    if env::var_os("GLOBUS_GARE_SKIP_PEERS").is_some_and(|skip| skip == "1") {
        eprintln!("left out: GLOBUS_GARE_SKIP_PEERS=1");
        return None;
    }
    let python: OsString = env::var_os("GLOBUS_GARE_PYTHON")
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
    let mut command = Command::new(python);
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GLOBUS_"))
    {
        command.env_remove(name);
    }
    command
        .arg(format!("{ROOT}/tests/peers/{name}"))
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1,localhost");
    Some(command)
}

/// What a script answers to each of `questions`, a line of JSON each.
pub(crate) fn ask(mut script: Command, questions: &[Value]) -> Vec<Value> {
    let mut oracle = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = oracle.stdin.take().expect("a pipe");
    let stdout = oracle.stdout.take().expect("a pipe");
    let answers: Vec<Value> = thread::scope(|scope| {
        // On a thread of its own: both pipes may be full.
        scope.spawn(move || {
            for question in questions {
                writeln!(stdin, "{question}").expect("Python reads");
            }
        });
        let lines = BufReader::new(stdout).lines();
        lines
            .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"))
            .collect()
    });
    assert!(
        oracle.wait().expect("Python ran").success(),
        "the script failed"
    );
    assert_eq!(
        answers.len(),
        questions.len(),
        "the script answers every line"
    );
    answers
}
