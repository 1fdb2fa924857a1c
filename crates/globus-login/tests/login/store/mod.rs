//! The stores.

mod any_bytes;
mod conformance;
mod damaged;
mod file;
#[cfg(unix)]
mod kill;
mod locks;
mod memory;
#[cfg(unix)]
mod permissions;
#[cfg(unix)]
mod replace;
mod sealed;
#[cfg(unix)]
mod sqlite;
mod text;
