//! `globus-ls` as its users run it: the whole program, its streams and its exit codes.

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
