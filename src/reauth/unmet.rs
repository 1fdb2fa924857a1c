//! Remembers requirements that successful logins did not satisfy.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

use super::backoff::{Backoff, Lengths};
use super::requirement::Requirement;
use super::target::Audience;

/// How many requirements are remembered.
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

/// The place of a requirement: a path at an audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) audience: Audience,
    pub(super) path: Arc<str>,
}

impl Unmet {
    /// `accepted` is the latest generation that was accepted at the origin.
    fn holds_for(&self, place: &Place, accepted: u64, asked: &Requirement) -> bool {
        self.place.audience == place.audience
            && (self.place.path == place.path || accepted < self.generation)
            && self.requirement.is_repeated_by(asked)
    }
}

impl Place {
    pub(super) fn new(audience: &Audience, uri: &Uri) -> Self {
        Self {
            audience: audience.clone(),
            path: uri.path().into(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct UnmetList(VecDeque<Unmet>);

impl UnmetList {
    /// How long no login starts for `asked`.
    ///
    /// If no request at the origin was accepted after the login, the whole origin backs off. If one
    /// was, only this path does.
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

    /// Whether it was noted that the login of this generation did not satisfy `asked`.
    pub(super) fn knows(&self, generation: u64, asked: &Requirement) -> bool {
        let mut all = self.0.iter();
        all.any(|it| it.generation == generation && it.requirement.is_repeated_by(asked))
    }

    /// Notes that the login of `generation` did not satisfy `asked`. Many requests may note the
    /// same login; it counts once.
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

    /// Forgets the requirements `met`: a request that was challenged with them was accepted.
    pub(super) fn forget(&mut self, place: &Place, met: &[Arc<Requirement>]) {
        self.0.retain(|unmet| {
            unmet.place != *place || !met.iter().any(|met| unmet.requirement.is_repeated_by(met))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::AuthorizationParameters;

    const LENGTHS: Lengths = Lengths {
        first: Duration::from_secs(30),
        longest: Duration::from_secs(900),
    };

    fn place(path: &str) -> Place {
        let origin = "https://transfer.api.globus.org".parse();
        let audience = Audience {
            origin: origin.expect("an origin"),
            resource_server: None,
        };
        Place {
            audience,
            path: path.into(),
        }
    }

    fn policy(policy: &str) -> Arc<Requirement> {
        let parameters = AuthorizationParameters::default();
        let parameters = parameters.with_session_required_policies([policy]);
        Arc::new(Requirement::Parameters(parameters))
    }

    /// The list of an account whose generation 9 was accepted at the origin.
    struct List(UnmetList, Instant);

    impl List {
        fn new() -> Self {
            Self(UnmetList::default(), Instant::now())
        }

        fn note(&mut self, path: &str, generation: u64, asked: &str) {
            let (place, asked) = (place(path), policy(asked));
            let clock = (self.1, LENGTHS);
            self.0.note((&place, 9), generation, &asked, clock);
        }

        fn left(&self, path: &str, asked: &str) -> u64 {
            let asked = policy(asked);
            let left = self.0.backs_off(&place(path), 9, &asked, self.1);
            left.map_or(0, |left| left.as_secs())
        }
    }

    #[checks::test]
    fn requests_that_notice_one_login_back_off_once() {
        let mut list = List::new();
        for _ in 0..10 {
            list.note("/a", 1, "p");
        }
        assert_eq!(list.left("/a", "p"), 30);
        list.note("/a", 2, "p");
        assert_eq!(list.left("/a", "p"), 60);
    }

    #[checks::test]
    fn each_resource_and_requirement_is_noted_once() {
        let mut list = List::new();
        for generation in 1..=9 {
            list.note("/a", generation, "p");
            list.note("/a", generation, "q");
            list.note("/b", 1, "p");
        }
        assert_eq!(list.0.0.len(), 3);
        assert_eq!((list.left("/a", "p"), list.left("/a", "q")), (900, 900));
        assert_eq!((list.left("/b", "p"), list.left("/b", "q")), (30, 0));
    }

    #[checks::test]
    fn sixty_four_resources_are_remembered() {
        let mut list = List::new();
        for number in 0..=MAX_UNMET {
            list.note(&format!("/{number}"), 1, "p");
        }
        assert_eq!((list.left("/0", "p"), list.left("/1", "p")), (0, 30));
        assert_eq!(list.0.0.len(), MAX_UNMET);
    }

    #[checks::test]
    fn accepted_request_forgets_its_own_requirement() {
        let mut list = List::new();
        for (path, asked) in [("/a", "p"), ("/a", "q"), ("/b", "p")] {
            list.note(path, 1, asked);
        }
        list.0.forget(&place("/a"), &[policy("p")]);
        assert_eq!((list.left("/a", "p"), list.left("/a", "q")), (0, 30));
        assert_eq!(list.left("/b", "p"), 30);
    }

    #[checks::test]
    fn login_is_known_by_its_generation_and_requirement() {
        let mut list = List::new();
        list.note("/a", 3, "p");
        let knows = |generation, asked| list.0.knows(generation, &policy(asked));
        assert!(knows(3, "p"));
        assert!(!knows(4, "p") && !knows(3, "q"));
    }
}
