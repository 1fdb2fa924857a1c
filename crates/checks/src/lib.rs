//! Shared code of the tests and benches of several crates.
#![allow(missing_docs, clippy::new_without_default)]

pub mod bench;
pub mod browser;
pub mod corpus;
#[cfg(feature = "documents")]
pub mod documents;
pub mod guide;
pub mod inputs;
#[cfg(unix)]
pub mod launcher;
pub mod limit;
pub mod mock;
pub mod program;
pub mod sample;
pub mod secrets;
pub mod site;
pub mod tokens;

pub use checks_macros::test;

// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
