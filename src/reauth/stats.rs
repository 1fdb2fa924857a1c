use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::GaveUp;
use crate::runtime::{Mutex, MutexGuard};

/// Counters of a session. Read with [`Session::stats`](super::Session::stats).
///
/// The counters are read one after another while requests continue, so they may differ by what
/// happened in between.
///
/// ```
/// use globus_gare::reauth::{Credential, Session, reauth_fn};
///
/// let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) }));
/// let stats = session.stats();
/// println!("{} logins, {} of them failed; gave up {} times", stats.logins, stats.failed_logins, stats.gave_up.total());
/// # assert_eq!(stats, Default::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Challenges.
    pub challenges: u64,
    /// Logins that started.
    pub logins: u64,
    /// Logins that failed, were declined, panicked or exceeded their time limit.
    pub failed_logins: u64,
    /// Look-ups that started.
    pub look_ups: u64,
    /// Requests that joined a login that another request had started.
    pub joins: u64,
    /// Replays.
    pub replays: u64,
    /// Accounts that the session remembers now, beside its own. The values that logins issued for an
    /// account do not count separately.
    pub principals: u64,
    /// How often the layer gave up, by reason.
    pub gave_up: GaveUpCounts,
}

/// How often the layer gave up, for each [`GaveUp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GaveUpCounts {
    /// [`GaveUp::Untrusted`]
    pub untrusted: u64,
    /// [`GaveUp::NotBearer`]
    pub not_bearer: u64,
    /// [`GaveUp::NotReplayable`]
    pub not_replayable: u64,
    /// [`GaveUp::LoginOnly`]
    pub login_only: u64,
    /// [`GaveUp::NoPrompt`]
    pub no_prompt: u64,
    /// [`GaveUp::NoProgress`]
    pub no_progress: u64,
    /// [`GaveUp::Exhausted`]
    pub exhausted: u64,
    /// [`GaveUp::MaxWait`]
    pub max_wait: u64,
    /// [`GaveUp::Failed`]
    pub failed: u64,
    /// [`GaveUp::NoOrigin`]
    pub no_origin: u64,
    /// [`GaveUp::NotApproved`]
    pub not_approved: u64,
    /// [`GaveUp::BackingOff`]
    pub backing_off: u64,
    /// [`GaveUp::Budget`]
    pub budget: u64,
    /// [`GaveUp::Unavailable`]
    pub unavailable: u64,
    /// [`GaveUp::TooManyPrincipals`]
    pub too_many_principals: u64,
    /// [`GaveUp::Forgotten`]
    pub forgotten: u64,
}

impl GaveUpCounts {
    fn of(&mut self, reason: &GaveUp) -> &mut u64 {
        match reason {
            GaveUp::Untrusted => &mut self.untrusted,
            GaveUp::NotBearer => &mut self.not_bearer,
            GaveUp::NotReplayable => &mut self.not_replayable,
            GaveUp::LoginOnly => &mut self.login_only,
            GaveUp::NoPrompt => &mut self.no_prompt,
            GaveUp::NoProgress => &mut self.no_progress,
            GaveUp::Exhausted => &mut self.exhausted,
            GaveUp::MaxWait => &mut self.max_wait,
            GaveUp::Failed(_) => &mut self.failed,
            GaveUp::NoOrigin => &mut self.no_origin,
            GaveUp::NotApproved => &mut self.not_approved,
            GaveUp::BackingOff { .. } => &mut self.backing_off,
            GaveUp::Budget { .. } => &mut self.budget,
            GaveUp::Unavailable(_) => &mut self.unavailable,
            GaveUp::TooManyPrincipals => &mut self.too_many_principals,
            GaveUp::Forgotten => &mut self.forgotten,
        }
    }

    /// The sum of all reasons.
    pub fn total(&self) -> u64 {
        let Self {
            untrusted,
            not_bearer,
            not_replayable,
            login_only,
            no_prompt,
            ..
        } = self;
        let Self {
            no_progress,
            exhausted,
            max_wait,
            failed,
            ..
        } = self;
        let Self {
            no_origin,
            not_approved,
            backing_off,
            budget,
            unavailable,
            too_many_principals,
            forgotten,
            ..
        } = self;
        let later = backing_off + budget + unavailable + too_many_principals + forgotten;
        let asked_for = untrusted + not_bearer + not_replayable + login_only + no_prompt;
        asked_for + no_progress + exhausted + max_wait + failed + no_origin + not_approved + later
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) challenges: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) failed_logins: AtomicU64,
    pub(super) look_ups: AtomicU64,
    pub(super) joins: AtomicU64,
    pub(super) replays: AtomicU64,
    gave_up: Mutex<GaveUpCounts>,
}

impl Counters {
    pub(super) fn gave_up(&self, reason: &GaveUp) {
        *self.counts().of(reason) += 1;
    }

    fn counts(&self) -> MutexGuard<'_, GaveUpCounts> {
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
            gave_up: *self.counts(),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
