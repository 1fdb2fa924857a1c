//! The program under test.

#[cfg(unix)]
pub(crate) mod screen;

use tokio::process::Command;

/// The path of the program. Cargo builds it before the tests.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_globus-ls");

/// The program, in an environment without variables of Globus, colours, a desktop or a CI.
pub(crate) fn ls(arguments: &[&str]) -> Command {
    checks::site::command(PROGRAM, arguments)
}
