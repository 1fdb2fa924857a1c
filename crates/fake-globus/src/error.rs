//! The errors of a running server.

use std::fmt;

/// An error in an argument of a method of [`FakeGlobus`](crate::FakeGlobus): an unknown identity,
/// scope or service, or malformed JSON.
#[derive(Debug)]
pub struct UnknownError(pub(super) String);

impl fmt::Display for UnknownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownError {}

/// An error inside a [`FakeGlobus`](crate::FakeGlobus) while it ran.
#[derive(Debug)]
pub struct ShutdownError(pub(super) Vec<String>);

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server failed while it ran: {}", self.0.join("; "))
    }
}

impl std::error::Error for ShutdownError {}
