//! What logins that succeeded did not help with.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

use super::Origin;
use super::backoff::{Backoff, Lengths};
use super::requirement::Requirement;

const MAX_UNMET: usize = 64;

/// A requirement that a login did not satisfy.
#[derive(Debug)]
struct Unmet {
    place: Place,
    requirement: Arc<Requirement>,
    /// The generation of the login that did not help.
    generation: u64,
    backoff: Backoff,
}

/// Where something is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) path: Arc<str>,
}

impl Unmet {
    /// `accepted` is the latest generation that was accepted at the origin.
    fn holds_for(&self, place: &Place, accepted: u64, asked: &Requirement) -> bool {
        self.place.origin == place.origin
            && (self.place.path == place.path || accepted < self.generation)
            && self.requirement.is_repeated_by(asked)
    }
}

impl Place {
    pub(super) fn new(origin: &Origin, uri: &Uri) -> Self {
        Self {
            origin: origin.clone(),
            path: uri.path().into(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct UnmetList(VecDeque<Unmet>);

impl UnmetList {
    /// For how long nobody is asked for `asked` again.
    ///
    /// A login that was of use nowhere at the origin keeps the whole origin from asking; one that
    /// was of use elsewhere keeps the one path.
    pub(super) fn backs_off(
        &self,
        place: &Place,
        accepted: u64,
        asked: &Requirement,
        now: Instant,
    ) -> Option<Duration> {
        let here = self
            .0
            .iter()
            .filter(|unmet| unmet.holds_for(place, accepted, asked));
        here.filter_map(|unmet| unmet.backoff.left(now)).max()
    }

    /// Whether it was noted that the login of this generation did not help with `asked`.
    pub(super) fn knows(&self, place: &Place, generation: u64, asked: &Requirement) -> bool {
        self.0.iter().any(|unmet| {
            unmet.place.origin == place.origin
                && unmet.generation == generation
                && unmet.requirement.is_repeated_by(asked)
        })
    }

    /// Notes that the login of `generation` did not help. Many requests notice the same login.
    pub(super) fn note(
        &mut self,
        (place, accepted): (&Place, u64),
        generation: u64,
        asked: &Arc<Requirement>,
        (now, lengths): (Instant, Lengths),
    ) {
        let same = |unmet: &Unmet| unmet.holds_for(place, accepted, asked);
        let backoff = match self.0.iter().find(|unmet| same(unmet)) {
            Some(unmet) if unmet.generation == generation => unmet.backoff,
            Some(unmet) => Backoff::after(Some(unmet.backoff), now, lengths),
            None => Backoff::after(None, now, lengths),
        };
        self.0.retain(|unmet| unmet.place != *place || !same(unmet));
        self.0.truncate(MAX_UNMET - 1);
        self.0.push_front(Unmet {
            place: place.clone(),
            requirement: Arc::clone(asked),
            generation,
            backoff,
        });
    }

    /// Forgets what a request that was challenged for it was accepted with.
    pub(super) fn forget(&mut self, place: &Place, met: &[Arc<Requirement>]) {
        self.0.retain(|unmet| {
            unmet.place != *place || !met.iter().any(|met| unmet.requirement.is_repeated_by(met))
        });
    }
}
