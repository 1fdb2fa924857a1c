//! The official SDKs on the same bodies, where they are installed.

use std::env;
use std::fs;
use std::process::Command;

use super::bodies::Body;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Seconds that the SDK for Python takes for each body; empty if it is not installed.
pub fn python(bodies: &[Body]) -> Vec<f64> {
    let python =
        env::var("GLOBUS_GARE_PYTHON").unwrap_or_else(|_| format!("{ROOT}/.venv/bin/python"));
    let mut command = Command::new(python);
    command.arg(format!("{ROOT}/benches/detection/sdk.py"));
    seconds(command, bodies).unwrap_or_else(|| {
        eprintln!("no times of the SDK for Python: benches/README.md says what it needs");
        Vec::new()
    })
}

/// Seconds that the SDK for JavaScript takes for each body; empty if it is not installed.
pub fn javascript(bodies: &[Body]) -> Vec<f64> {
    let mut command = Command::new("node");
    command.arg(format!("{ROOT}/benches/detection/sdk.cjs"));
    if env::var_os("NODE_PATH").is_none() {
        command.env("NODE_PATH", format!("{ROOT}/target/node_modules"));
    }
    seconds(command, bodies).unwrap_or_else(|| {
        eprintln!("no times of the SDK for JavaScript: benches/README.md says what it needs");
        Vec::new()
    })
}

/// Runs a script that prints a time for each file that it is given.
fn seconds(mut command: Command, bodies: &[Body]) -> Option<Vec<f64>> {
    let directory = tempfile::tempdir().expect("a directory for the bodies");
    for (number, body) in bodies.iter().enumerate() {
        let path = directory.path().join(number.to_string());
        fs::write(&path, &body.bytes).expect("a body written");
        command.arg(path);
    }
    let output = command.output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.parse().ok()).collect()
}
