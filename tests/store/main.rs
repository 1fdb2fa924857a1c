//! Token stores: the file that Python and Rust share, and what happens to it when many write, or one is killed.

mod any_bytes;
mod file;
#[cfg(unix)]
mod kill;
mod locks;
mod memory;
#[path = "../peers/peer.rs"]
mod peer;
mod python;
#[cfg(unix)]
mod replace;
mod support;
mod text;
