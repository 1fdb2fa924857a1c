//! The official clients of Globus, for tests that hold this project against them.
#![allow(missing_docs)]

pub mod oracle;
pub mod parity;
pub mod programs;
pub mod python;
