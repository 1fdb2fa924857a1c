//! The public API: its items, its `Debug` output, and the compiler's errors for wrong use.

mod compile_fail;
mod operators;
#[cfg(unix)]
mod public_api;
mod public_types;
#[cfg(unix)]
mod rustdoc;
mod security;
mod testing_types;
