//! The official Python SDK and command line.

use std::env;
use std::ffi::OsString;
use std::process::Command;

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
        .args(["-c", "import globus_sdk, globus_cli"])
        .output();
    assert!(
        imported.is_ok_and(|output| output.status.success()),
        "{} has no globus_sdk and globus_cli.\nIn {ROOT}: python3 -m venv .venv && .venv/bin/pip install globus-sdk globus-cli\n\
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
