//! What a session remembers of one user. Every change is a plain function under one lock:
//! nothing here waits.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::origin::OriginRef;
use super::requirement::covers;
use super::run::{Ended, Running};
use super::{Credential, Origin, ReauthError};
use crate::gare::{AuthorizationParameters, Gare, coalesce};
use crate::runtime::{Mutex, MutexGuard};

/// Ends where a wait is too long for the clock to express.
const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Until when something is not tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    ends_at: Instant,
}

impl Backoff {
    pub(super) fn starting(now: Instant, length: Duration) -> Self {
        Self {
            ends_at: now.checked_add(length).unwrap_or(now + DECADES),
        }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ends_at <= now
    }
}

/// A credential, and its generation: later ones have a higher number.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) credential: Credential,
    pub(super) generation: u64,
}

/// A login under way.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) origin: Origin,
    pub(super) requirement: Arc<AuthorizationParameters>,
    pub(super) running: Running,
}

/// The last login that succeeded.
#[derive(Debug)]
pub(super) struct LastLogin {
    pub(super) generation: u64,
    pub(super) requirement: Arc<AuthorizationParameters>,
    pub(super) ended_at: Instant,
    /// Whether a service accepted a request that was sent with its credential or a later one.
    pub(super) is_proven: bool,
}

#[derive(Debug, Default)]
pub(super) struct Account(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    /// The latest generation.
    generation: u64,
    /// The current credential of each origin, the oldest first.
    credentials: Vec<(Origin, Issued)>,
    last_login: Option<LastLogin>,
    login: Option<Login>,
    look_ups: Vec<(Origin, Running)>,
    /// After a login that failed: nobody is asked, and this error is told.
    failed: Option<(Backoff, ReauthError)>,
    /// Requirements that a login did not satisfy.
    unmet: Vec<(Backoff, AuthorizationParameters)>,
    /// Origins for which a look-up found nothing.
    nothing_found: Vec<(Backoff, Origin)>,
    /// What requests that wait for another login ask for next, in the order in which they came.
    waiting: BTreeMap<u64, Gare>,
    next_waiting: u64,
}

impl Account {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics; a poisoned state is still a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn current(&self, origin: OriginRef<'_>) -> Option<&Issued> {
        let known = |(known, _): &&(Origin, Issued)| known.view() == origin;
        self.credentials
            .iter()
            .find(known)
            .map(|(_, issued)| issued)
    }

    pub(super) fn newer_than(&self, generation: u64, origin: &Origin) -> Option<Issued> {
        let current = self.current(origin.view());
        current
            .filter(|issued| issued.generation > generation)
            .cloned()
    }

    /// A credential that is newer than `sent` and has not expired.
    pub(super) fn fresh(&self, sent: u64, origin: &Origin, leeway: Duration) -> Option<Issued> {
        self.newer_than(sent, origin)
            .filter(|issued| !issued.credential.is_expired(leeway))
    }

    pub(super) fn last_login(&self) -> Option<&LastLogin> {
        self.last_login.as_ref()
    }

    /// Notes that a service accepted a request that was sent with `generation`.
    pub(super) fn note_accepted(&mut self, generation: u64) {
        if let Some(login) = &mut self.last_login
            && login.generation <= generation
        {
            login.is_proven = true;
        }
    }

    /// The login under way, if it has not been [lost](Running::is_lost).
    pub(super) fn login(&self, now: Instant) -> Option<&Login> {
        self.login
            .as_ref()
            .filter(|login| !login.running.is_lost(now))
    }

    pub(super) fn look_up(&self, origin: &Origin, now: Instant) -> Option<&Running> {
        let mut all = self.look_ups.iter();
        let known = all.find(|(known, running)| known == origin && !running.is_lost(now));
        known.map(|(_, running)| running)
    }

    /// The error of the last login, if nobody is asked because of it.
    pub(super) fn backs_off(&self, now: Instant) -> Option<&ReauthError> {
        let failed = self.failed.as_ref();
        failed
            .filter(|(backoff, _)| !backoff.is_over(now))
            .map(|(_, error)| error)
    }

    pub(super) fn is_unmet(&self, required: &AuthorizationParameters, now: Instant) -> bool {
        self.unmet
            .iter()
            .any(|(backoff, unmet)| !backoff.is_over(now) && covers(unmet, required))
    }

    pub(super) fn note_unmet(
        &mut self,
        required: AuthorizationParameters,
        now: Instant,
        length: Duration,
    ) {
        self.unmet
            .retain(|(backoff, unmet)| !backoff.is_over(now) && !covers(&required, unmet));
        self.unmet.push((Backoff::starting(now, length), required));
    }

    /// Whether a look-up for `origin` found nothing a moment ago.
    pub(super) fn found_nothing(&self, origin: OriginRef<'_>, now: Instant) -> bool {
        self.nothing_found
            .iter()
            .any(|(backoff, known)| !backoff.is_over(now) && known.view() == origin)
    }

    /// Remembers what a waiting request asks for, until [`State::forget_waiting`].
    pub(super) fn remember_waiting(&mut self, gare: Gare) -> u64 {
        self.next_waiting += 1;
        self.waiting.insert(self.next_waiting, gare);
        self.next_waiting
    }

    pub(super) fn forget_waiting(&mut self, waiting: u64) {
        self.waiting.remove(&waiting);
    }

    /// `gare`, united with what waits beside it and can be asked for in the same login.
    pub(super) fn with_waiting(&self, gare: Gare) -> Gare {
        let waiting = self.waiting.values().cloned();
        let all = coalesce(std::iter::once(gare.clone()).chain(waiting));
        all.into_iter().next().unwrap_or(gare)
    }

    pub(super) fn begin_login(&mut self, login: Login) {
        self.login = Some(login);
    }

    pub(super) fn begin_look_up(&mut self, origin: Origin, running: Running) {
        self.look_ups.retain(|(known, _)| *known != origin);
        self.look_ups.push((origin, running));
    }

    /// Ends `login` with its result, unless it was lost and another has begun.
    pub(super) fn end_login(
        &mut self,
        login: &Login,
        result: Result<Credential, ReauthError>,
        backoff: Backoff,
        max_origins: usize,
    ) -> Ended {
        let is_current = |current: &mut Login| current.running.is_same_as(&login.running);
        if self.login.take_if(is_current).is_none() {
            return Err(ReauthError::timeout());
        }
        match result {
            Ok(credential) => {
                let issued = self.issue(login.origin.clone(), credential, max_origins);
                self.last_login = Some(LastLogin {
                    generation: issued.generation,
                    requirement: Arc::clone(&login.requirement),
                    ended_at: Instant::now(),
                    is_proven: false,
                });
                self.failed = None;
                self.nothing_found.clear();
                Ok(Some(issued))
            }
            // Nobody said no: the next request may lead a login on a runtime that works.
            Err(error) if error.is_no_runtime() => Err(error),
            Err(error) => {
                self.failed = Some((backoff, error.clone()));
                Err(error)
            }
        }
    }

    /// Ends the look-up for `origin` that began when `began` was its generation, unless it was lost
    /// and another has begun. `backoff` holds where nothing was found.
    pub(super) fn end_look_up(
        &mut self,
        (origin, running): (Origin, &Running),
        began: u64,
        result: Result<Option<Credential>, ReauthError>,
        backoff: Option<Backoff>,
        max_origins: usize,
    ) -> Ended {
        let under_way = self.look_ups.len();
        self.look_ups
            .retain(|(_, other)| !other.is_same_as(running));
        if self.look_ups.len() == under_way {
            return Err(ReauthError::timeout());
        }
        // What a login brought meanwhile is newer than anything that was looked up.
        if let Some(newer) = self.newer_than(began, &origin) {
            return Ok(Some(newer));
        }
        let found = match result {
            Ok(Some(credential)) => credential,
            nothing => {
                let now = Instant::now();
                self.nothing_found
                    .retain(|(backoff, known)| !backoff.is_over(now) && *known != origin);
                let backoff = backoff.map(|backoff| (backoff, origin));
                self.nothing_found.extend(backoff);
                return nothing.map(|_| None);
            }
        };
        match self.current(origin.view()) {
            // The same token again is no new generation, only news of its lifetime.
            Some(known) if known.credential.sends_same_as(&found) => {
                let issued = Issued {
                    credential: found,
                    generation: known.generation,
                };
                Ok(Some(self.keep(origin, issued, max_origins)))
            }
            _ => Ok(Some(self.issue(origin, found, max_origins))),
        }
    }

    fn issue(&mut self, origin: Origin, credential: Credential, max_origins: usize) -> Issued {
        self.generation += 1;
        let issued = Issued {
            credential,
            generation: self.generation,
        };
        self.keep(origin, issued, max_origins)
    }

    fn keep(&mut self, origin: Origin, issued: Issued, max_origins: usize) -> Issued {
        self.credentials.retain(|(known, _)| *known != origin);
        if self.credentials.len() >= max_origins.max(1) {
            self.credentials.remove(0);
        }
        self.credentials.push((origin, issued.clone()));
        issued
    }
}
