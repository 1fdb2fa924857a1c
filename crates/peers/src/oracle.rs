//! Scripts that answer by the line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// What a script answers to each of `questions`, a line of JSON each.
pub fn ask(mut script: Command, questions: &[Value]) -> Vec<Value> {
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
