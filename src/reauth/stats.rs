use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::GaveUp;
use crate::runtime::{Mutex, MutexGuard};

/// Counters of a session. Read with [`Session::stats`](super::Session::stats).
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

/// The counters, without `principals`.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Stats>);

impl Counters {
    pub(super) fn lock(&self) -> MutexGuard<'_, Stats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn gave_up(&self, reason: &GaveUp) {
        *self.lock().gave_up.entry(reason.name()).or_default() += 1;
    }
}
