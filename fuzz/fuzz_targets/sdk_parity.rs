//! Compares detection with `globus_sdk.gare`. The input is a body, or a seed for the generator of
//! the tests.
//!
//! Needs a Python with the SDK, as the tests do.
#![no_main]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use globus_gare::gare::Detection;
use libfuzzer_sys::{Corpus, fuzz_target};
use peers::parity;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

fuzz_target!(|input: &[u8]| -> Corpus {
    // A seed follows a zero byte, which begins no body.
    let (body, nested) = match input {
        [0, seed @ ..] => generated(seed),
        body => match std::str::from_utf8(body) {
            Ok(body) => (body.to_owned(), true),
            Err(_) => return Corpus::Reject,
        },
    };
    let Value::Array(theirs) = oracle().ask(&body) else {
        return Corpus::Keep;
    };
    let detection = Detection::of(body.as_bytes());
    let accepted = parity::assert_accepted(&body, &detection, &theirs, nested);
    if let ([found], [theirs], false) = (&detection.found[..], &theirs[..], nested)
        && accepted == 1
    {
        parity::assert_query(&body, &found.gare.authorization_parameters, theirs);
    }
    Corpus::Keep
});

fn generated(input: &[u8]) -> (String, bool) {
    // proptest could take its choices from the input itself, but it does not stop when the input
    // ends.
    let mut seed = [0; 32];
    for (at, byte) in input.iter().enumerate() {
        seed[at % 32] ^= byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = checks::documents::body().new_tree(&mut runner);
    tree.map_or_else(|_| ("{}".to_owned(), false), |tree| tree.current())
}

/// The running Python process.
struct Oracle {
    _child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn oracle() -> std::sync::MutexGuard<'static, Oracle> {
    static ORACLE: LazyLock<Mutex<Oracle>> = LazyLock::new(|| Mutex::new(Oracle::start()));
    ORACLE.lock().expect("no panic")
}

impl Oracle {
    fn start() -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let python = std::env::var_os("GLOBUS_GARE_PYTHON");
        let python = python.unwrap_or_else(|| format!("{root}/.venv/bin/python").into());
        let mut child = Command::new(python)
            .args(["-u", &format!("{root}/crates/peers/scripts/gare_oracle.py")])
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("no Python with globus-sdk: CONTRIBUTING.md says how to install it");
        let ask = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            _child: child,
            ask,
            answers,
        }
    }

    fn ask(&mut self, body: &str) -> Value {
        writeln!(self.ask, "{}", Value::from(body)).expect("Python reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("Python gave up at: {body}"))
    }
}
