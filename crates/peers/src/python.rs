//! The official Python SDK and command line.

use std::env;
use std::ffi::OsString;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A script of `crates/peers/scripts`, for the Python that `GLOBUS_GARE_PYTHON` names, or that of `.venv`.
///
/// # Panics
///
/// Where that Python has no Globus SDK.
pub fn script(name: &str) -> Command {
    let python: OsString = env::var_os("GLOBUS_GARE_PYTHON")
        .unwrap_or_else(|| format!("{ROOT}/../../.venv/bin/python").into());
    let imported = Command::new(&python)
        .args(["-c", "import globus_sdk, globus_cli"])
        .output();
    assert!(
        imported.is_ok_and(|output| output.status.success()),
        "{} has no globus_sdk and globus_cli.\n\
         At the top of the repository: python3 -m venv .venv && .venv/bin/pip install -r crates/peers/requirements.txt\n\
         (or name a Python that has both in GLOBUS_GARE_PYTHON)",
        python.display(),
    );
    let mut command = Command::new(python);
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GLOBUS_"))
    {
        command.env_remove(name);
    }
    command
        .arg(format!("{ROOT}/scripts/{name}"))
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1,localhost");
    command
}
