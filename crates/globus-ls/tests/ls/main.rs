//! `globus-ls` as its users run it: the whole program, its streams and its exit codes.

mod command;
mod listing;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod screen;
mod support;
#[cfg(unix)]
mod terminal;
