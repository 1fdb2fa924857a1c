//! The example `ls`, as its users run it: the whole program, its streams and its exit codes.
//!
//! The program is the one that `cargo test` has built; alone, `cargo build --example ls` builds it.

#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod chromium;
mod command;
#[cfg(unix)]
mod launcher;
mod listing;
#[cfg(unix)]
mod login;
#[path = "../peers/peer.rs"]
mod peer;
#[cfg(unix)]
mod screen;
mod support;
#[cfg(unix)]
mod terminal;
