//! `globus-ls` as its users run it: the whole program, its streams and its exit codes.

mod command;
mod listing;
#[cfg(unix)]
mod login;
mod support;
#[cfg(unix)]
mod terminal;
