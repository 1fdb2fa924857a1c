//! The embedded services, asked over HTTP as a program would ask them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod files;
mod login;
mod page;
mod support;
mod tasks;
mod tokens;
