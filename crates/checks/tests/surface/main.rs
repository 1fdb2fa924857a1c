//! The public API: its items, and its `Debug` output.

mod operators;
#[cfg(unix)]
mod public_api;
mod public_types;
#[cfg(unix)]
mod rustdoc;
mod security;
mod testing_types;
