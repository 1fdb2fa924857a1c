//! The official clients of Globus, for tests that hold this project against them.
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

// The example of the README is compiled like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
