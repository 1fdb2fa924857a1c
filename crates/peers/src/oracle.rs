//! Runs scripts that read a question a line and print an answer a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// Sends each of `questions` to a script as a line of JSON; returns the answers.
pub fn ask(mut script: Command, questions: &[Value]) -> Vec<Value> {
    let mut oracle = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = oracle.stdin.take().expect("a pipe");
    let stdout = oracle.stdout.take().expect("a pipe");
    let answers: Vec<Value> = thread::scope(|scope| {
        // Written by a second thread: with one thread, two full pipes would block each other.
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
