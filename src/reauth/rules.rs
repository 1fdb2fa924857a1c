//! The closures that a program gives to a session.

use std::fmt;
use std::sync::Arc;

use super::{Challenge, Event, RequestHead};
use crate::gare::Gare;

/// Names the principal of a request.
pub(super) type PrincipalBy = Rule<dyn Fn(RequestHead<'_>) -> Option<Arc<str>> + Send + Sync>;

/// Decides whether a requirement may start a login.
pub(super) type Approve = Rule<dyn Fn(&Challenge) -> Option<Gare> + Send + Sync>;

/// Observes the events of a session.
pub(super) type Observer = Rule<dyn Fn(Event<'_>) + Send + Sync>;

/// A closure of the program.
pub(super) struct Rule<F: ?Sized>(pub(super) Box<F>);

impl<F: ?Sized> fmt::Debug for Rule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fn(..)")
    }
}
