//! The events of a session, through `tracing` where that feature is on.
//!
//! The table in the documentation of [`reauth`](super) lists them all: a test
//! holds the two against each other. No field ever holds a credential, a header, a query or a service's message.

use std::future::Future;

use http::{Method, StatusCode};

use super::run::Ended;
use super::{GaveUp, Target};
use crate::gare::{Found, Limit};

/// `tracing::$level!` with the session's target, or nothing without the feature.
macro_rules! event {
    ($level:ident, $($rest:tt)+) => {
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "globus_gare", $($rest)+);
    };
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn challenged(
    target: &Target,
    method: &Method,
    status: StatusCode,
    found: &[Found],
    generation: u64,
) {
    event!(info, origin = %target.origin(), principal = ?target.principal(), %method, status = status.as_u16(),
        requirements = found.len(), generation, "challenged");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn joined(target: &Target) {
    event!(debug, origin = %target.origin(), principal = ?target.principal(), "joined");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn logging_in(target: &Target, attempt: u32) {
    event!(info, origin = %target.origin(), principal = ?target.principal(), attempt, "logging in");
}

/// `login` in the span that it goes on in.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn during_login<F: Future>(
    target: &Target,
    attempt: u32,
    login: F,
) -> impl Future<Output = F::Output> + use<F> {
    #[cfg(feature = "tracing")]
    let login = tracing::Instrument::instrument(
        login,
        tracing::info_span!(target: "globus_gare", "login", origin = %target.origin(), principal = ?target.principal(),
            attempt),
    );
    login
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn waiting(target: &Target) {
    event!(debug, origin = %target.origin(), principal = ?target.principal(), "waiting");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn takes_long(target: &Target) {
    event!(warn, origin = %target.origin(), principal = ?target.principal(),
        hint = "a request that the login itself sends must not wait for it: see Challenge::part_of_login",
        "login takes long");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn looking_up(target: &Target) {
    event!(debug, origin = %target.origin(), principal = ?target.principal(), "looking up");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn looked_up(target: &Target, ended: &Ended) {
    match ended {
        Ok(issued) => {
            let generation = issued.as_ref().map(|issued| issued.generation);
            event!(debug, origin = %target.origin(), principal = ?target.principal(), generation, "looked up");
        }
        Err(error) => {
            event!(warn, origin = %target.origin(), principal = ?target.principal(), %error, "look-up failed");
        }
    }
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn over_limit(target: &Target, limit: Limit) {
    event!(warn, origin = %target.origin(), principal = ?target.principal(), %limit, "over limit");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn only_quoted(target: &Target) {
    event!(debug, origin = %target.origin(), principal = ?target.principal(), "only quoted");
}

pub(super) fn not_trusted() {
    event!(debug, "not trusted");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn logged_in(target: &Target, ended: &Ended) {
    match ended {
        Ok(issued) => {
            let generation = issued.as_ref().map(|issued| issued.generation);
            event!(info, origin = %target.origin(), principal = ?target.principal(), generation, "logged in");
        }
        Err(error) => {
            event!(warn, origin = %target.origin(), principal = ?target.principal(), %error, "login failed");
        }
    }
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn replayed(target: &Target, replays: u32, generation: u64) {
    event!(info, origin = %target.origin(), principal = ?target.principal(), replays, generation, "replayed");
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(super) fn gave_up(target: &Target, reason: &GaveUp) {
    event!(warn, origin = %target.origin(), principal = ?target.principal(), reason = reason.name(), "gave up");
}
