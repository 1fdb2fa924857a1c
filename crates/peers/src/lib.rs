//! Runs the official Globus clients, for tests that compare this project with them.
#![allow(missing_docs)]

pub mod balancer;
pub mod guide;
pub mod node;
pub mod oracle;
pub mod parity;
pub mod postgres;
pub mod programs;
pub mod python;
pub mod redis_server;
pub mod replicas;

// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
