//! Inputs that the fuzzer found worth keeping, replayed: `tests/fuzz_inputs/TARGET/*`. So is every body of the corpus.
//!
//! To keep another: copy it there. What it must hold up to is in `checks.rs`; what those of `token_file` and `redirect`
//! must, is in `src/login/any_bytes.rs`, and replayed there, where private code can be called.

mod checks;
#[path = "../peers/oracle.rs"]
mod oracle;
#[allow(
    dead_code,
    reason = "queries are held against those of the SDK elsewhere"
)]
#[path = "../peers/parity.rs"]
mod parity;
#[path = "../peers/peer.rs"]
mod peer;

use std::fs;
use std::path::Path;

use globus_gare::gare;
use serde_json::Value;

const CORPUS: &str = concat!(
    include_str!("../corpus/errors.jsonl"),
    include_str!("../corpus/errors_2.jsonl")
);

/// The saved inputs of a target, by name, and the bodies of the corpus.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz_inputs")
        .join(target);
    let saved = fs::read_dir(&directory).expect("a directory of inputs");
    let mut inputs: Vec<_> = saved
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            (name, fs::read(path).expect("an input"))
        })
        .collect();
    assert!(!inputs.is_empty(), "no inputs in {}", directory.display());
    inputs.sort();
    let rows = CORPUS
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a row"));
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    inputs.extend(rows.map(|row| (text(&row["id"]), text(&row["body"]).into_bytes())));
    inputs
}

fn replay(target: &str, check: fn(&[u8])) {
    for (name, input) in inputs(target) {
        // Shown when it fails.
        println!("{name}");
        check(&input);
    }
}

#[test]
fn detect() {
    replay("detect", checks::detect);
}

#[test]
fn gridftp() {
    replay("gridftp", checks::gridftp);
}

#[test]
fn authorize_url() {
    replay("authorize_url", checks::authorize_url);
}

/// Detection held against the Python SDK.
#[test]
fn sdk_parity() {
    let Some(sdk) = peer::script("gare_oracle.py") else {
        return;
    };
    let inputs = inputs("sdk_parity").into_iter();
    let bodies: Vec<String> = inputs
        .filter_map(|(_, input)| String::from_utf8(input).ok())
        .collect();
    let questions: Vec<Value> = bodies.iter().map(|body| body.as_str().into()).collect();
    for (body, theirs) in bodies.iter().zip(oracle::ask(sdk, &questions)) {
        println!("{body}");
        if let Value::Array(theirs) = theirs {
            let found: Vec<_> = gare::detect(body.as_bytes())
                .into_iter()
                .map(|found| found.gare)
                .collect();
            parity::assert_accepted(body, &found, &theirs, true);
        }
    }
}
