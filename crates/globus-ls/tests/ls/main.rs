//! Runs `globus-ls` as its users do, and checks its output and exit codes.

#[cfg(unix)]
mod answers;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod columns;
mod command;
mod listing;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod stream;
mod support;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod waiting;
