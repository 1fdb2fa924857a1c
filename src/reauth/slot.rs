//! What a session remembers of one identity. Every transition is a plain
//! function under one lock: nothing here waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::current::{Current, Issued};
use super::landing::{Landed, Landing};
use super::origin::OriginRef;
use super::requirement::covers;
use super::{Credential, Origin, ReauthError};
use crate::gare::{AuthorizationParameters, Gare, coalesce};
use crate::runtime::{Mutex, MutexGuard};

/// A run of the reauthenticator that is under way.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) origin: Origin,
    /// Shared with all who wait for it.
    pub(super) requirement: Arc<AuthorizationParameters>,
    pub(super) landing: Landing,
}

#[derive(Debug)]
pub(super) struct Renewal {
    origin: Origin,
    landing: Landing,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) current: Arc<Current>,
    state: Mutex<State>,
    /// How many requests are under way with it.
    users: AtomicUsize,
    /// The latest generation that a request was let in with.
    proven: AtomicU64,
}

/// A request's hold on its slot: the slot is not forgotten meanwhile.
#[derive(Debug)]
pub(super) struct Seat(Arc<Slot>);

impl Seat {
    pub(super) fn take(slot: &Arc<Slot>) -> Self {
        slot.users.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(slot))
    }

    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The last login that succeeded.
#[derive(Debug)]
pub(super) struct LastLogin {
    generation: u64,
    requirement: Arc<AuthorizationParameters>,
    landed: Instant,
}

#[derive(Debug)]
pub(super) struct State {
    generation: u64,
    last_login: Option<LastLogin>,
    current: Arc<Current>,
    login: Option<Login>,
    renewals: Vec<Renewal>,
    /// Until when nobody is asked again, and why.
    cool_down: Option<(Instant, ReauthError)>,
    /// Requirements that a login did not satisfy, and until when that holds.
    futile: Vec<(Instant, AuthorizationParameters)>,
    /// Origins for which there was nothing to renew, and until when that holds.
    barren: Vec<(Instant, Origin)>,
    /// What requests that wait for a login of another kind will ask for next.
    /// By when they came: any number may come and go.
    pending: BTreeMap<u64, Gare>,
    next_pending: u64,
}

impl Slot {
    pub(super) fn new() -> Self {
        let current = Arc::new(Current::default());
        Self {
            current: Arc::clone(&current),
            users: AtomicUsize::new(0),
            proven: AtomicU64::new(0),
            state: Mutex::new(State {
                generation: 0,
                last_login: None,
                current,
                login: None,
                renewals: Vec::new(),
                cool_down: None,
                futile: Vec::new(),
                barren: Vec::new(),
                pending: BTreeMap::new(),
                next_pending: 0,
            }),
        }
    }

    /// Notes that a request was let in with `generation`. Takes no lock.
    pub(super) fn prove(&self, generation: u64) {
        if self.proven.load(Ordering::Relaxed) < generation {
            self.proven.fetch_max(generation, Ordering::Relaxed);
        }
    }

    /// Whether a request was let in with `generation` or a later one.
    pub(super) fn is_proven(&self, generation: u64) -> bool {
        self.proven.load(Ordering::Relaxed) >= generation
    }

    /// Whether forgetting it would be noticed by a request or a login under way.
    pub(super) fn is_in_use(&self) -> bool {
        self.users.load(Ordering::Relaxed) > 0 || self.lock().is_busy()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics; a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn current(&self, origin: &Origin) -> Option<Issued> {
        self.current.look(origin.view(), Issued::clone)
    }

    pub(super) fn newer_than(&self, generation: u64, origin: &Origin) -> Option<Issued> {
        self.current(origin)
            .filter(|issued| issued.generation > generation)
    }

    /// A credential that is newer than what was sent and has not run out.
    pub(super) fn fresh(&self, sent: u64, origin: &Origin, leeway: Duration) -> Option<Issued> {
        self.newer_than(sent, origin)
            .filter(|issued| !issued.credential.is_expired(leeway))
    }

    /// Whether a login, perhaps at another service, came after `generation`.
    pub(super) fn logged_in_since(&self, generation: u64) -> bool {
        self.last_login
            .as_ref()
            .is_some_and(|login| login.generation > generation)
    }

    /// The generation of the last login, if it was after `since` and asked for
    /// what covers `asked`, and `sent` is not older than it: then a refusal may
    /// mean that the login did not help.
    pub(super) fn just_asked(
        &self,
        asked: &AuthorizationParameters,
        sent: u64,
        since: Option<Instant>,
    ) -> Option<u64> {
        let login = self.last_login.as_ref()?;
        let just_now = since.is_none_or(|since| login.landed > since);
        (just_now && sent >= login.generation && covers(&login.requirement, asked))
            .then_some(login.generation)
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    pub(super) fn renewal(&self, origin: &Origin) -> Option<Landing> {
        self.renewals
            .iter()
            .find(|renewal| renewal.origin == *origin)
            .map(|renewal| renewal.landing.clone())
    }

    fn is_busy(&self) -> bool {
        self.login.is_some() || !self.renewals.is_empty()
    }

    pub(super) fn cooling_down(&self, now: Instant) -> Option<ReauthError> {
        self.cool_down
            .as_ref()
            .filter(|(until, _)| now < *until)
            .map(|(_, error)| error.clone())
    }

    pub(super) fn is_futile(&self, asked: &AuthorizationParameters, now: Instant) -> bool {
        self.futile
            .iter()
            .any(|(until, tried)| now < *until && covers(tried, asked))
    }

    pub(super) fn note_futile(
        &mut self,
        asked: AuthorizationParameters,
        now: Instant,
        until: Instant,
    ) {
        self.futile
            .retain(|(until, tried)| now < *until && !covers(&asked, tried));
        self.futile.push((until, asked));
    }

    pub(super) fn is_barren(&self, origin: OriginRef<'_>, now: Instant) -> bool {
        self.barren
            .iter()
            .any(|(until, known)| now < *until && known.view() == origin)
    }

    /// Remembers what a waiting request will ask for, until [`State::forget`].
    pub(super) fn remember(&mut self, gare: Gare) -> u64 {
        self.next_pending += 1;
        self.pending.insert(self.next_pending, gare);
        self.next_pending
    }

    pub(super) fn forget(&mut self, pending: u64) {
        self.pending.remove(&pending);
    }

    /// `gare` with whatever waits beside it and may be asked for in the same login.
    pub(super) fn with_pending(&self, gare: Gare) -> Gare {
        let waiting = self.pending.values().cloned();
        let all = coalesce(std::iter::once(gare.clone()).chain(waiting));
        all.into_iter().next().unwrap_or(gare)
    }

    pub(super) fn take_off(&mut self, login: Login) {
        self.login = Some(login);
    }

    pub(super) fn take_off_renewal(&mut self, origin: Origin, landing: Landing) {
        self.renewals.push(Renewal { origin, landing });
    }

    /// Ends the login under way; the credential is for `origin`.
    pub(super) fn land_login(
        &mut self,
        origin: Origin,
        result: Result<Credential, ReauthError>,
        cool_down_until: Instant,
        max_origins: usize,
    ) -> Landed {
        let login = self.login.take();
        match result {
            Ok(credential) => {
                let issued = self.issue(origin, credential, max_origins);
                let generation = issued.generation;
                self.last_login = login.map(|login| LastLogin {
                    generation,
                    requirement: login.requirement,
                    landed: Instant::now(),
                });
                self.cool_down = None;
                self.barren.clear();
                Ok(Some(issued))
            }
            Err(error) => {
                self.cool_down = Some((cool_down_until, error.clone()));
                Err(error)
            }
        }
    }

    /// Ends the renewal for `origin` that began at generation `began`.
    pub(super) fn land_renewal(
        &mut self,
        origin: Origin,
        began: u64,
        result: Result<Option<Credential>, ReauthError>,
        barren_until: Option<Instant>,
        max_origins: usize,
    ) -> Landed {
        self.renewals.retain(|renewal| renewal.origin != origin);
        // What a login has brought meanwhile is newer than anything renewed.
        if let Some(newer) = self.newer_than(began, &origin) {
            return Ok(Some(newer));
        }
        let renewed = match result {
            Ok(Some(credential)) => credential,
            nothing => {
                // Of services that are never asked again nothing is kept either.
                let now = Instant::now();
                self.barren
                    .retain(|(until, known)| now < *until && *known != origin);
                if let Some(until) = barren_until {
                    self.barren.push((until, origin));
                }
                return nothing.map(|_| None);
            }
        };
        match self.current(&origin) {
            Some(known) if known.credential.sends_same_as(&renewed) => {
                // The same token again is no new generation, only news of its lifetime.
                let generation = known.generation;
                let issued = Issued {
                    credential: renewed,
                    generation,
                };
                self.current.keep(origin, issued.clone(), max_origins);
                Ok(Some(issued))
            }
            _ => Ok(Some(self.issue(origin, renewed, max_origins))),
        }
    }

    fn issue(&mut self, origin: Origin, credential: Credential, max_origins: usize) -> Issued {
        self.generation += 1;
        let issued = Issued {
            credential,
            generation: self.generation,
        };
        self.current.keep(origin, issued.clone(), max_origins);
        issued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[checks::test]
    fn backoff_is_kept_only_until_it_ends() {
        let policy =
            |name: &str| AuthorizationParameters::default().with_session_required_policies([name]);
        let (mut slot, now) = (Slot::new(), Instant::now());
        let state = slot.state.get_mut().expect("whole");
        state.note_futile(policy("p"), now, now + SECOND);
        state.note_futile(policy("q"), now, now + SECOND * 2);
        assert!(state.is_futile(&policy("p"), now) && state.is_futile(&policy("q"), now));
        // The same again takes the place of the first.
        state.note_futile(policy("q"), now, now + SECOND * 3);
        assert_eq!(state.futile.len(), 2);
        assert!(!state.is_futile(&policy("p"), now + SECOND));
        state.note_futile(policy("r"), now + SECOND, now + SECOND * 4);
        assert_eq!(state.futile.len(), 2, "`p` is over");
        assert!(state.is_futile(&policy("q"), now + SECOND * 2));
        assert!(!state.is_futile(&policy("q"), now + SECOND * 3));
    }

    #[checks::test]
    fn failed_look_up_is_kept_only_until_it_expires() {
        let origin = |host: &str| -> Origin { format!("https://{host}").parse().expect(host) };
        let (mut slot, now) = (Slot::new(), Instant::now());
        let state = slot.state.get_mut().expect("whole");
        let (over, later) = (now, now + SECOND * 3600);
        for (host, until, kept) in [
            ("a", over, 1),
            // In the place of the first, which is over.
            ("b", later, 1),
            // In its own place.
            ("b", later, 1),
            ("c", later, 2),
        ] {
            let landed = state.land_renewal(origin(host), 0, Ok(None), Some(until), 9);
            assert!(matches!(landed, Ok(None)));
            assert_eq!(state.barren.len(), kept, "{host}");
        }
        let barren = ["a", "b", "c"].map(|host| state.is_barren(origin(host).view(), now));
        assert_eq!(barren, [false, true, true]);
    }
}
