//! What a session remembers of one user. Every change is a plain function under one lock:
//! nothing here waits.

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

/// Whether a look-up counts as a refresh, after which none is tried again for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    Never,
    /// It may have found what was there.
    IfFailed,
    Always,
}

/// A look-up under way.
#[derive(Debug)]
struct LookUp {
    audience: Audience,
    refreshes: bool,
    running: Running,
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) principal: Principal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What the reauthenticator said when it was last asked.
    revision: Option<u64>,
    /// How often the account was forgotten.
    epoch: u64,
    /// The latest generation.
    generation: u64,
    /// Those that got a credential last are at the end.
    origins: Vec<AtOrigin>,
    login: Option<Login>,
    /// Of the requests that wait for the login.
    waited: Waited,
    look_ups: Vec<LookUp>,
    unmet: UnmetList,
    budget: Budget,
    /// What successful logins were required to bring.
    scopes: BTreeSet<String>,
    /// What requests that wait for another login ask for next, in the order in which they came.
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
        // Nothing under the lock panics; a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Account::lock`], with everything forgotten if the revision has changed.
    pub(super) fn lock_current(
        &self,
        reauthenticator: &dyn Reauthenticator,
    ) -> MutexGuard<'_, State> {
        // Foreign code is not called under the lock.
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
    /// Forgets everything, and ends what runs. Waiters are told; a late result is dropped.
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

    /// Makes a value that a request presents the current credential, unless it was seen before.
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
        let mut origins = self.origins.iter_mut();
        if let Some(at) = origins.find(|at| at.audience == place.audience) {
            at.forget_failed();
        }
    }

    /// Notes that a service did not accept the credential that was sent with `generation`.
    pub(super) fn note_rejected(&mut self, audience: &Audience, generation: u64) {
        let mut origins = self.origins.iter_mut();
        if let Some(at) = origins.find(|at| at.audience == *audience)
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

    pub(super) fn look_up(
        &self,
        audience: &Audience,
        refreshes: bool,
        now: Instant,
    ) -> Option<&Running> {
        let mut all = self.look_ups.iter();
        let known = all.find(|it| {
            it.audience == *audience && it.refreshes == refreshes && !it.running.is_lost(now)
        });
        known.map(|it| &it.running)
    }

    /// How many look-ups are under way. Those that were lost are forgotten.
    pub(super) fn count_look_ups(&mut self, now: Instant) -> usize {
        self.look_ups.retain(|it| !it.running.is_lost(now));
        self.look_ups.len()
    }

    /// For how long nobody is asked for this, since logins that succeeded did not help.
    pub(super) fn is_unmet(
        &self,
        place: &Place,
        asked: &Requirement,
        now: Instant,
    ) -> Option<Duration> {
        let accepted = self.at(place.audience.view()).map_or(0, |at| at.accepted);
        self.unmet.backs_off(place, accepted, asked, now)
    }

    /// Whether the last login at the origin, which was accepted nowhere, is now found not to have
    /// helped with `asked` either.
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

    pub(super) fn is_spent(&self, now: Instant, limit: budget::Limit) -> Option<Duration> {
        self.budget.is_spent(now, limit)
    }

    /// Remembers what a waiting request asks for, until [`State::forget_waiting`].
    pub(super) fn remember_waiting(&mut self, audience: Audience, gare: Gare) -> u64 {
        self.next_waiting += 1;
        self.waiting.insert(self.next_waiting, (audience, gare));
        self.next_waiting
    }

    pub(super) fn forget_waiting(&mut self, waiting: u64) {
        self.waiting.remove(&waiting);
    }

    /// `gare`, united with what waits for the same audience and can be asked for in the same login.
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
        // Beyond the bound the one goes that got its credential first.
        if let Some(index) = self.origins.iter().position(|at| at.audience == *audience) {
            self.origins[index..].rotate_left(1);
        }
        issued
    }

    /// Counts the current credential of `audience` as rejected.
    pub(super) fn invalidate(&mut self, audience: &Audience) {
        let mut origins = self.origins.iter_mut();
        if let Some(at) = origins.find(|at| at.audience == *audience)
            && let Some(issued) = at.current.take()
        {
            at.note_rejected(issued.credential);
        }
    }
}
