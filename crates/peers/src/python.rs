//! Runs Python with the official SDK and the `globus` command line.

use std::env;
use std::ffi::OsString;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A script of `crates/peers/scripts`, with the Python of `GLOBUS_GARE_PYTHON`, by default that of
/// `.venv`.
///
/// # Panics
///
/// If that Python has no Globus SDK.
pub fn script(name: &str) -> Command {
    let mut command = python();
    command.arg(format!("{ROOT}/scripts/{name}"));
    command
}

/// An installed module, such as `pytest`. It can import the modules of the scripts directory.
///
/// # Panics
///
/// If that Python has no Globus SDK.
pub fn module(name: &str) -> Command {
    let mut command = python();
    command
        .args(["-m", name])
        .env("PYTHONPATH", format!("{ROOT}/scripts"));
    command
}

fn python() -> Command {
    let python: OsString = env::var_os("GLOBUS_GARE_PYTHON")
        .unwrap_or_else(|| format!("{ROOT}/../../.venv/bin/python").into());
    let imported = Command::new(&python)
        .args(["-c", "import globus_sdk, globus_cli"])
        .output();
    assert!(
        imported.is_ok_and(|output| output.status.success()),
        "{} has no globus_sdk and globus_cli.\n\
         CONTRIBUTING.md says how to install them; GLOBUS_GARE_PYTHON may name a Python that has both",
        python.display(),
    );
    let mut command = Command::new(python);
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GLOBUS_"))
    {
        command.env_remove(name);
    }
    command
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1,localhost");
    command
}
