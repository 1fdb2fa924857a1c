//! The state of one user in a session. Every change is a plain function under one lock. Nothing
//! here waits.

mod runs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::at_origin::AtOrigin;
pub(super) use super::at_origin::Issued;
use super::backoff::Lengths;
use super::budget::{self, Budget, Waited};
use super::builder::Settings;
use super::requirement::Requirement;
use super::run::Running;
use super::target::{Audience, AudienceRef};
use super::unmet::{Place, UnmetList};
use super::{Credential, Principal, Reauthenticator};
use crate::gare::{Gare, coalesce};
use crate::runtime::{Mutex, MutexGuard};

/// A login under way.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) audience: Audience,
    pub(super) requirement: Arc<Requirement>,
    pub(super) running: Running,
}

/// Whether a look-up counts as a refresh. After one, no other is tried for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    Never,
    /// A look-up that succeeds may have found a stored credential.
    IfFailed,
    Always,
}

/// A look-up under way.
#[derive(Debug)]
pub(super) struct LookUp {
    pub(super) audience: Audience,
    pub(super) counts: Refresh,
    /// The generation of the audience at the start of the look-up.
    pub(super) began: u64,
    pub(super) running: Running,
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) principal: Principal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The last [`Reauthenticator::revision`].
    revision: Option<u64>,
    /// How often the account was forgotten.
    epoch: u64,
    /// The latest generation.
    generation: u64,
    /// In the order of their latest credentials; an origin without one, of its creation.
    origins: Vec<AtOrigin>,
    login: Option<Login>,
    /// The paths of the requests that wait for the login.
    waited: Waited,
    pub(super) look_ups: Vec<LookUp>,
    unmet: UnmetList,
    budget: Budget,
    /// The scopes that successful logins were required to bring.
    scopes: BTreeSet<String>,
    /// The requirements of requests that wait for another login, in the order in which they began to
    /// wait.
    waiting: BTreeMap<u64, (Audience, Gare)>,
    next_waiting: u64,
}

impl Account {
    pub(super) fn new(principal: Principal) -> Arc<Self> {
        Arc::new(Self {
            principal,
            state: Mutex::default(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics under the lock, so a poisoned state is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Account::lock`]. If the revision has changed, everything is forgotten first.
    pub(super) fn lock_current(
        &self,
        reauthenticator: &dyn Reauthenticator,
    ) -> MutexGuard<'_, State> {
        // The reauthenticator is not called under the lock.
        let revision = reauthenticator.revision(&self.principal);
        let mut state = self.lock();
        if state.revision.is_some_and(|known| known != revision) {
            state.forget();
        }
        state.revision = Some(revision);
        state
    }
}

impl State {
    /// Forgets everything, and ends the login and the look-ups for their waiters. A late result is
    /// dropped.
    pub(super) fn forget(&mut self) {
        let forgotten = std::mem::take(self);
        self.epoch = forgotten.epoch + 1;
        self.generation = forgotten.generation;
        self.next_waiting = forgotten.next_waiting;
        let login = forgotten.login.map(|login| login.running);
        let look_ups = forgotten.look_ups.into_iter().map(|it| it.running);
        for running in login.into_iter().chain(look_ups) {
            running.forget();
        }
    }

    pub(super) fn scopes(&self) -> &BTreeSet<String> {
        &self.scopes
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn at(&self, audience: AudienceRef<'_>) -> Option<&AtOrigin> {
        self.origins
            .iter()
            .find(|at| at.audience.view() == audience)
    }

    fn find_mut(&mut self, audience: &Audience) -> Option<&mut AtOrigin> {
        let mut origins = self.origins.iter_mut();
        origins.find(|at| at.audience == *audience)
    }

    fn at_mut(&mut self, audience: &Audience, max_origins: usize) -> &mut AtOrigin {
        let index = match self.origins.iter().position(|at| at.audience == *audience) {
            Some(index) => index,
            None => {
                if self.origins.len() >= max_origins.max(1) {
                    self.origins.remove(0);
                }
                self.origins.push(AtOrigin::new(audience.clone()));
                self.origins.len() - 1
            }
        };
        &mut self.origins[index]
    }

    pub(super) fn current(&self, audience: AudienceRef<'_>) -> Option<&Issued> {
        self.at(audience)?.current.as_ref()
    }

    pub(super) fn newer_than(&self, generation: u64, audience: &Audience) -> Option<&Issued> {
        let current = self.current(audience.view());
        current.filter(|issued| issued.generation > generation)
    }

    pub(super) fn may_refresh(&self, audience: AudienceRef<'_>, now: Instant) -> bool {
        self.at(audience).is_none_or(|at| at.may_refresh(now))
    }

    /// Makes a presented value the current credential, unless it was seen before.
    pub(super) fn note_presented(
        &mut self,
        audience: AudienceRef<'_>,
        value: &HeaderValue,
        settings: &Settings,
    ) {
        let credential = Credential::from_header_value(value.clone());
        if self.at(audience).is_none_or(|at| !at.has_seen(&credential)) {
            self.issue(&audience.to_owned(), credential, settings);
        }
    }

    /// Notes that a service accepted a request for `path` that was sent with `generation`.
    pub(super) fn note_accepted(&mut self, generation: u64, path: &str) {
        self.budget.note_accepted(generation, path);
        let current = |at: &&mut AtOrigin| {
            let current = at.current.as_ref();
            current.is_some_and(|issued| issued.generation == generation)
        };
        if let Some(at) = self.origins.iter_mut().find(current) {
            at.note_accepted(generation);
        }
    }

    /// Notes that a request was accepted after it was challenged for `met`.
    pub(super) fn note_met(&mut self, place: &Place, met: &[Arc<Requirement>]) {
        self.unmet.forget(place, met);
        if let Some(at) = self.find_mut(&place.audience) {
            at.forget_failed();
        }
    }

    /// Notes that a service did not accept the credential that was sent with `generation`.
    pub(super) fn note_rejected(&mut self, audience: &Audience, generation: u64) {
        if let Some(at) = self.find_mut(audience)
            && let Some(issued) = &at.current
            && issued.generation == generation
        {
            let rejected = issued.credential.clone();
            at.note_rejected(rejected);
        }
    }

    /// Notes that a service did not accept a credential that the session did not issue.
    pub(super) fn note_presented_rejected(
        &mut self,
        audience: &Audience,
        presented: Credential,
        settings: &Settings,
    ) {
        let at = self.at_mut(audience, settings.max_origins);
        at.note_rejected(presented);
    }

    /// The login under way, if it has not been [lost](Running::is_lost).
    pub(super) fn login(&self, now: Instant) -> Option<&Login> {
        let login = self.login.as_ref();
        login.filter(|login| !login.running.is_lost(now))
    }

    /// The look-up under way that may refresh, or the one that may not. Lost look-ups are dropped.
    pub(super) fn look_up(
        &mut self,
        audience: &Audience,
        may_refresh: bool,
        now: Instant,
    ) -> Option<&Running> {
        self.look_ups.retain(|it| !it.running.is_lost(now));
        let known = self.look_ups.iter().find(|it| {
            let refreshes = it.counts != Refresh::Never;
            it.audience == *audience && refreshes == may_refresh
        });
        known.map(|it| &it.running)
    }

    /// How long no login starts for `asked`, because successful logins did not satisfy it.
    pub(super) fn unmet_for(
        &self,
        place: &Place,
        asked: &Requirement,
        now: Instant,
    ) -> Option<Duration> {
        let accepted = self.at(place.audience.view()).map_or(0, |at| at.accepted);
        self.unmet.backs_off(place, accepted, asked, now)
    }

    /// Whether a request sent after the last login at the origin shows that it did not satisfy
    /// `asked`. The login must be for the same requirement, and accepted nowhere yet.
    pub(super) fn did_not_help(&self, place: &Place, sent: u64, asked: &Requirement) -> bool {
        let Some(at) = self.at(place.audience.view()) else {
            return false;
        };
        at.last_login.as_ref().is_some_and(|login| {
            login.generation <= sent
                && at.accepted < login.generation
                && login.requirement.is_repeated_by(asked)
                && !self.unmet.knows(login.generation, asked)
        })
    }

    pub(super) fn note_unmet(
        &mut self,
        place: &Place,
        sent: u64,
        asked: &Arc<Requirement>,
        clock: (Instant, Lengths),
    ) {
        let at = self.at(place.audience.view());
        let accepted = at.map_or(0, |at| at.accepted);
        let login = at.and_then(|at| at.last_login.as_ref());
        let generation = login.map_or(sent, |login| login.generation);
        self.unmet.note((place, accepted), generation, asked, clock);
    }

    pub(super) fn spent_for(&self, now: Instant, limit: budget::Limit) -> Option<Duration> {
        self.budget.spent_for(now, limit)
    }

    /// Remembers the requirement of a waiting request, until [`State::forget_waiting`].
    pub(super) fn remember_waiting(&mut self, audience: Audience, gare: Gare) -> u64 {
        self.next_waiting += 1;
        self.waiting.insert(self.next_waiting, (audience, gare));
        self.next_waiting
    }

    pub(super) fn forget_waiting(&mut self, waiting: u64) {
        self.waiting.remove(&waiting);
    }

    /// `gare`, merged with the requirements of waiting requests that the same login can satisfy.
    pub(super) fn with_waiting(&self, audience: &Audience, gare: Gare) -> Gare {
        let waiting = self.waiting.values();
        let waiting = waiting.filter(|(waits_at, _)| *waits_at == *audience);
        let waiting = waiting.map(|(_, gare)| gare.clone());
        let all = coalesce(std::iter::once(gare.clone()).chain(waiting));
        all.into_iter().next().unwrap_or(gare)
    }

    /// Makes `credential` the current one of `audience`, as a new generation.
    pub(super) fn issue(
        &mut self,
        audience: &Audience,
        credential: Credential,
        settings: &Settings,
    ) -> Issued {
        self.generation += 1;
        let issued = Issued {
            credential,
            generation: self.generation,
        };
        let at = self.at_mut(audience, settings.max_origins);
        if settings.one_person {
            at.note_seen(issued.credential.clone());
        }
        at.current = Some(issued.clone());
        at.invalidated = None;
        // Moved to the end: beyond the bound, the origin that got its credential first is dropped.
        if let Some(index) = self.origins.iter().position(|at| at.audience == *audience) {
            self.origins[index..].rotate_left(1);
        }
        issued
    }

    /// Counts the current credential of `audience` as rejected.
    pub(super) fn invalidate(&mut self, audience: &Audience) {
        if let Some(at) = self.find_mut(audience)
            && let Some(issued) = at.current.take()
        {
            at.invalidated = Some(issued.credential.clone());
            at.note_rejected(issued.credential);
        }
    }
}
