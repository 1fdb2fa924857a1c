//! Token stores: the file that Python and Rust share, and what happens to it when many write, or one is killed.

mod file;
#[cfg(unix)]
mod kill;
mod memory;
#[path = "../peers/peer.rs"]
mod peer;
mod python;
mod support;
