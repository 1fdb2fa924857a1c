//! What the crates show: the items of their public API, and the compiler's words where they are used wrongly.

mod compile_fail;
mod operators;
#[cfg(unix)]
mod public_api;
mod public_types;
#[cfg(unix)]
mod rustdoc;
mod security;
mod testing_types;
