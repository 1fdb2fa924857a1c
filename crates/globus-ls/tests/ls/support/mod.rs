//! The program under test.

#[cfg(unix)]
pub(crate) mod screen;

use tokio::process::Command;

/// Built by cargo before the tests are.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_globus-ls");

/// The program, in an environment that says nothing about Globus or colours.
pub(crate) fn ls(arguments: &[&str]) -> Command {
    checks::site::command(PROGRAM, arguments)
}
