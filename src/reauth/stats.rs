use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::GaveUp;
use crate::runtime::{Mutex, MutexGuard};

/// Counters of a session. Read with [`Session::stats`](super::Session::stats).
///
/// The counters are read one after another while requests continue, so they may not add up exactly.
///
/// ```
/// use globus_gare::reauth::{Credential, Session, reauth_fn};
///
/// let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) }));
/// let stats = session.stats();
/// println!("{} logins, {} of them failed; gave up {} times", stats.logins, stats.failed_logins, stats.gave_up.values().sum::<u64>());
/// # assert_eq!(stats, Default::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Challenges.
    pub challenges: u64,
    /// Logins that started.
    pub logins: u64,
    /// Logins that failed, were declined, panicked or exceeded their time limit. A login that
    /// [needs a person](crate::ReauthError::is_interaction_required) does not count: see
    /// `interaction_required` in [`gave_up`](Self::gave_up).
    pub failed_logins: u64,
    /// Look-ups that started.
    pub look_ups: u64,
    /// Requests that joined the login of another request.
    pub joins: u64,
    /// Replays.
    pub replays: u64,
    /// Principals that the session remembers now, beside its own. The tokens that logins brought
    /// for a principal do not count separately.
    pub principals: u64,
    /// How often the layer gave up, by [`GaveUp::name`]. Reasons that never came up are absent.
    pub gave_up: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) challenges: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) failed_logins: AtomicU64,
    pub(super) look_ups: AtomicU64,
    pub(super) joins: AtomicU64,
    pub(super) replays: AtomicU64,
    gave_up: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(super) fn gave_up(&self, reason: &GaveUp) {
        *self.counts().entry(reason.name()).or_default() += 1;
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.gave_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> Stats {
        Stats {
            challenges: self.challenges.load(Relaxed),
            logins: self.logins.load(Relaxed),
            failed_logins: self.failed_logins.load(Relaxed),
            look_ups: self.look_ups.load(Relaxed),
            joins: self.joins.load(Relaxed),
            replays: self.replays.load(Relaxed),
            principals: 0,
            gave_up: self.counts().clone(),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
