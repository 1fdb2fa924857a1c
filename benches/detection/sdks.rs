//! The official SDKs on the same bodies, if they are installed.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use super::bodies::Body;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The seconds that the Python SDK needs for each body. Empty if it is not installed.
pub fn python(bodies: &[Body]) -> Vec<f64> {
    let python =
        env::var("GLOBUS_GARE_PYTHON").unwrap_or_else(|_| format!("{ROOT}/.venv/bin/python"));
    let mut command = Command::new(python);
    command.arg(format!("{ROOT}/benches/detection/sdk.py"));
    seconds(command, bodies).unwrap_or_else(|| {
        eprintln!("no times of the Python SDK: CONTRIBUTING.md says how to install it");
        Vec::new()
    })
}

/// The seconds that the JavaScript SDK needs for each body. Empty if it is not installed.
pub fn javascript(bodies: &[Body]) -> Vec<f64> {
    let mut command = Command::new("node");
    command.arg(format!("{ROOT}/benches/detection/sdk.cjs"));
    command.env(
        "NODE_PATH",
        format!("{ROOT}/crates/peers/node/node_modules"),
    );
    seconds(command, bodies).unwrap_or_else(|| {
        eprintln!("no times of the JavaScript SDK: CONTRIBUTING.md says how to install it");
        Vec::new()
    })
}

/// Runs a script that prints a time for each of its files.
fn seconds(mut command: Command, bodies: &[Body]) -> Option<Vec<f64>> {
    let directory = tempfile::tempdir().expect("a directory for the bodies");
    for (number, body) in bodies.iter().enumerate() {
        let path = directory.path().join(number.to_string());
        fs::write(&path, &body.bytes).expect("a body written");
        command.arg(path);
    }
    // The reason of a failure is printed.
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.parse().ok()).collect()
}
