//! What a program decides for a session.

use std::fmt;
use std::sync::Arc;

use super::{Challenge, Event, RequestHead};
use crate::gare::Gare;

type NameOf = dyn Fn(RequestHead<'_>) -> Option<Arc<str>> + Send + Sync;

type WhatIsLeft = dyn Fn(&Challenge) -> Option<Gare> + Send + Sync;

/// Says whose request it is.
#[derive(Clone)]
pub(super) struct PrincipalBy(Arc<NameOf>);

impl PrincipalBy {
    pub(super) fn new(
        by: impl Fn(RequestHead<'_>) -> Option<Arc<str>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(by))
    }

    pub(super) fn name(&self, request: RequestHead<'_>) -> Option<Arc<str>> {
        (self.0)(request)
    }
}

/// Says what a person may be asked for.
#[derive(Clone)]
pub(super) struct Approve(Arc<WhatIsLeft>);

impl Approve {
    pub(super) fn new(
        approve: impl Fn(&Challenge) -> Option<Gare> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(approve))
    }

    pub(super) fn ask(&self, challenge: &Challenge) -> Option<Gare> {
        (self.0)(challenge)
    }
}

/// Sees what a session does.
#[derive(Clone)]
pub(super) struct Observer(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Observer {
    pub(super) fn new(observer: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        (self.0)(event);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

impl fmt::Debug for PrincipalBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrincipalBy(..)")
    }
}

impl fmt::Debug for Approve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approve(..)")
    }
}
