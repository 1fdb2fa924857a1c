//! What a session remembers of one user. Every change is a plain function under one lock:
//! nothing here waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

pub(super) use super::at_origin::Issued;
use super::at_origin::{AtOrigin, LastLogin};
use super::backoff::Lengths;
use super::budget::{self, Budget, Waited};
use super::builder::Settings;
use super::origin::OriginRef;
use super::requirement::Requirement;
use super::run::{Ended, Running};
use super::unmet::{Place, UnmetList};
use super::{Credential, Origin, Principal, ReauthError, Reauthenticator};
use crate::gare::{Gare, coalesce};
use crate::runtime::{Mutex, MutexGuard};

/// How many scopes are remembered: more are new each time.
const MAX_SCOPES: usize = 256;

/// A login under way.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) origin: Origin,
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
    origin: Origin,
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
    waiting: BTreeMap<u64, (Origin, Gare)>,
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

    pub(super) fn at(&self, origin: OriginRef<'_>) -> Option<&AtOrigin> {
        self.origins.iter().find(|at| at.origin.view() == origin)
    }

    fn at_mut(&mut self, origin: &Origin, max_origins: usize) -> &mut AtOrigin {
        let index = match self.origins.iter().position(|at| at.origin == *origin) {
            Some(index) => index,
            None => {
                if self.origins.len() >= max_origins.max(1) {
                    self.origins.remove(0);
                }
                self.origins.push(AtOrigin::new(origin.clone()));
                self.origins.len() - 1
            }
        };
        &mut self.origins[index]
    }

    pub(super) fn current(&self, origin: OriginRef<'_>) -> Option<&Issued> {
        self.at(origin)?.current.as_ref()
    }

    pub(super) fn newer_than(&self, generation: u64, origin: &Origin) -> Option<&Issued> {
        let current = self.current(origin.view());
        current.filter(|issued| issued.generation > generation)
    }

    pub(super) fn may_refresh(&self, origin: OriginRef<'_>, now: Instant) -> bool {
        self.at(origin).is_none_or(|at| at.may_refresh(now))
    }

    /// Makes a value that a request presents the current credential, unless it was seen before.
    pub(super) fn note_presented(
        &mut self,
        origin: OriginRef<'_>,
        value: &HeaderValue,
        settings: &Settings,
    ) {
        let credential = Credential::from_header_value(value.clone());
        if self.at(origin).is_none_or(|at| !at.has_seen(&credential)) {
            self.issue(&origin.to_owned(), credential, settings);
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
        if let Some(at) = origins.find(|at| at.origin == place.origin) {
            at.forget_failed();
        }
    }

    /// Notes that a service did not accept the credential that was sent with `generation`.
    pub(super) fn note_rejected(&mut self, origin: &Origin, generation: u64) {
        let mut origins = self.origins.iter_mut();
        if let Some(at) = origins.find(|at| at.origin == *origin)
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
        origin: &Origin,
        presented: Credential,
        settings: &Settings,
    ) {
        let at = self.at_mut(origin, settings.max_origins);
        at.note_rejected(presented);
    }

    /// The login under way, if it has not been [lost](Running::is_lost).
    pub(super) fn login(&self, now: Instant) -> Option<&Login> {
        let login = self.login.as_ref();
        login.filter(|login| !login.running.is_lost(now))
    }

    pub(super) fn look_up(
        &self,
        origin: &Origin,
        refreshes: bool,
        now: Instant,
    ) -> Option<&Running> {
        let mut all = self.look_ups.iter();
        let known = all.find(|it| {
            it.origin == *origin && it.refreshes == refreshes && !it.running.is_lost(now)
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
        let accepted = self.at(place.origin.view()).map_or(0, |at| at.accepted);
        self.unmet.backs_off(place, accepted, asked, now)
    }

    /// Whether the last login at the origin, which was accepted nowhere, is now found not to have
    /// helped with `asked` either.
    pub(super) fn did_not_help(&self, place: &Place, sent: u64, asked: &Requirement) -> bool {
        let Some(at) = self.at(place.origin.view()) else {
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
        let at = self.at(place.origin.view());
        let accepted = at.map_or(0, |at| at.accepted);
        let login = at.and_then(|at| at.last_login.as_ref());
        let generation = login.map_or(sent, |login| login.generation);
        self.unmet.note((place, accepted), generation, asked, clock);
    }

    pub(super) fn is_spent(&self, now: Instant, limit: budget::Limit) -> Option<Duration> {
        self.budget.is_spent(now, limit)
    }

    /// Remembers what a waiting request asks for, until [`State::forget_waiting`].
    pub(super) fn remember_waiting(&mut self, origin: Origin, gare: Gare) -> u64 {
        self.next_waiting += 1;
        self.waiting.insert(self.next_waiting, (origin, gare));
        self.next_waiting
    }

    pub(super) fn forget_waiting(&mut self, waiting: u64) {
        self.waiting.remove(&waiting);
    }

    /// `gare`, united with what waits at the same origin and can be asked for in the same login.
    pub(super) fn with_waiting(&self, origin: &Origin, gare: Gare) -> Gare {
        let waiting = self.waiting.values();
        let waiting = waiting.filter(|(waits_at, _)| waits_at == origin);
        let waiting = waiting.map(|(_, gare)| gare.clone());
        let all = coalesce(std::iter::once(gare.clone()).chain(waiting));
        all.into_iter().next().unwrap_or(gare)
    }

    pub(super) fn begin_login(&mut self, login: Login, path: &Arc<str>) {
        self.login = Some(login);
        self.waited = Waited::default();
        self.waited.add(path);
    }

    pub(super) fn join_login(&mut self, path: &Arc<str>) {
        self.waited.add(path);
    }

    pub(super) fn begin_look_up(&mut self, origin: Origin, refreshes: bool, running: Running) {
        self.look_ups
            .retain(|it| it.origin != origin || it.refreshes != refreshes);
        self.look_ups.push(LookUp {
            origin,
            refreshes,
            running,
        });
    }

    /// Ends `login` with its result, unless it was lost or forgotten.
    pub(super) fn end_login(
        &mut self,
        login: &Login,
        result: Result<Credential, ReauthError>,
        settings: &Settings,
    ) -> Ended {
        let is_current = |current: &mut Login| current.running.is_same_as(&login.running);
        if self.login.take_if(is_current).is_none() {
            return Err(ReauthError::timeout());
        }
        let now = Instant::now();
        match result {
            Ok(credential) => {
                let is_verified = !credential.is_unverified();
                if let Requirement::Parameters(parameters) = &*login.requirement {
                    let room = MAX_SCOPES.saturating_sub(self.scopes.len());
                    let brought = parameters.required_scopes.iter().take(room);
                    self.scopes.extend(brought.cloned());
                }
                for at in &mut self.origins {
                    at.forget_rejected();
                }
                let issued = self.issue(&login.origin, credential, settings);
                if is_verified {
                    let waited = std::mem::take(&mut self.waited);
                    let (generation, limit) = (issued.generation, settings.login_budget);
                    self.budget.spend(generation, waited, now, limit);
                    let at = self.at_mut(&login.origin, settings.max_origins);
                    at.last_login = Some(LastLogin {
                        generation,
                        requirement: Arc::clone(&login.requirement),
                    });
                }
                Ok(Some(issued))
            }
            Err(error) => {
                if error.is_failed_login() {
                    let at = self.at_mut(&login.origin, settings.max_origins);
                    at.note_failed(error.clone(), now, settings.backoff);
                }
                Err(error)
            }
        }
    }

    /// Ends the look-up `running` that began when `began` was the generation at `origin`, unless it
    /// was lost or forgotten.
    pub(super) fn end_look_up(
        &mut self,
        (origin, running): (&Origin, &Running),
        (began, counts): (u64, Refresh),
        result: Result<Option<Credential>, ReauthError>,
        settings: &Settings,
    ) -> Ended {
        let under_way = self.look_ups.len();
        self.look_ups
            .retain(|other| !other.running.is_same_as(running));
        if self.look_ups.len() == under_way {
            return Err(ReauthError::timeout());
        }
        let at = self.at_mut(origin, settings.max_origins);
        let is_failed = result.is_err();
        if counts == Refresh::Always || (counts == Refresh::IfFailed && is_failed) {
            let unavailable = result.as_ref().err().filter(|it| it.is_unavailable());
            at.note_refreshed(began, unavailable.cloned(), Instant::now());
        }
        // What a login brought meanwhile is newer than anything that was looked up.
        if let Some(newer) = self.newer_than(began, origin) {
            return Ok(Some(newer.clone()));
        }
        let at = self.at_mut(origin, settings.max_origins);
        let Some(found) = result? else {
            return Ok(None);
        };
        // The same token again is no new generation, only news of its lifetime.
        if let Some(known) = &mut at.current
            && known.credential.sends_same_as(&found)
        {
            known.credential = found;
            return Ok(Some(known.clone()));
        }
        if at.has_rejected(&found) {
            return Ok(None);
        }
        Ok(Some(self.issue(origin, found, settings)))
    }

    /// Makes `credential` the current one at `origin`, as a new generation.
    pub(super) fn issue(
        &mut self,
        origin: &Origin,
        credential: Credential,
        settings: &Settings,
    ) -> Issued {
        self.generation += 1;
        let issued = Issued {
            credential,
            generation: self.generation,
        };
        let at = self.at_mut(origin, settings.max_origins);
        if settings.one_person {
            at.note_seen(issued.credential.clone());
        }
        at.current = Some(issued.clone());
        // Beyond the bound the origin goes that got its credential first.
        if let Some(index) = self.origins.iter().position(|at| at.origin == *origin) {
            self.origins[index..].rotate_left(1);
        }
        issued
    }

    /// Counts the current credential at `origin` as rejected.
    pub(super) fn invalidate(&mut self, origin: &Origin) {
        let mut origins = self.origins.iter_mut();
        if let Some(at) = origins.find(|at| at.origin == *origin)
            && let Some(issued) = at.current.take()
        {
            at.note_rejected(issued.credential);
        }
    }
}
