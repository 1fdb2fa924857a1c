use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Refusal;
use crate::runtime::{Mutex, MutexGuard};

/// What a session has done so far: read with [`Session::stats`](super::Session::stats).
///
/// The numbers are read one after another while requests go on, so they may be
/// off against each other by what happened in between.
///
/// ```
/// use globus_gare::reauth::{Credential, Session, reauth_fn};
///
/// let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) }));
/// let stats = session.stats();
/// println!("{} logins, {} of them failed; {} refusals", stats.logins, stats.failed_logins, stats.refusals.total());
/// # assert_eq!(stats, Default::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Responses that asked for something.
    pub challenges: u64,
    /// Logins that were started.
    pub logins: u64,
    /// Logins that failed, were declined, panicked or took too long.
    pub failed_logins: u64,
    /// Silent renewals that were started.
    pub renewals: u64,
    /// Requests that waited for a login that another one had started.
    pub joins: u64,
    /// Requests that were sent again.
    pub replays: u64,
    /// Identities that are remembered now, beside the session's own: each value
    /// that requests present, or that was issued for one, counts.
    pub identities: u64,
    /// Responses that went back to the caller as refusals, by reason.
    pub refusals: Refusals,
}

/// How many responses went back as refusals, for each [`Refusal`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusals {
    /// [`Refusal::Untrusted`]
    pub untrusted: u64,
    /// [`Refusal::NotBearer`]
    pub not_bearer: u64,
    /// [`Refusal::NotReplayable`]
    pub not_replayable: u64,
    /// [`Refusal::LoginOnly`]
    pub login_only: u64,
    /// [`Refusal::NoPrompt`]
    pub no_prompt: u64,
    /// [`Refusal::NoProgress`]
    pub no_progress: u64,
    /// [`Refusal::Exhausted`]
    pub exhausted: u64,
    /// [`Refusal::DeadlineElapsed`]
    pub deadline_elapsed: u64,
    /// [`Refusal::Failed`]
    pub failed: u64,
}

impl Refusals {
    fn of(&mut self, refusal: &Refusal) -> &mut u64 {
        match refusal {
            Refusal::Untrusted => &mut self.untrusted,
            Refusal::NotBearer => &mut self.not_bearer,
            Refusal::NotReplayable => &mut self.not_replayable,
            Refusal::LoginOnly => &mut self.login_only,
            Refusal::NoPrompt => &mut self.no_prompt,
            Refusal::NoProgress => &mut self.no_progress,
            Refusal::Exhausted => &mut self.exhausted,
            Refusal::DeadlineElapsed => &mut self.deadline_elapsed,
            Refusal::Failed(_) => &mut self.failed,
        }
    }

    /// All of them together.
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
            deadline_elapsed,
            failed,
            ..
        } = self;
        let asked_for = untrusted + not_bearer + not_replayable + login_only + no_prompt;
        asked_for + no_progress + exhausted + deadline_elapsed + failed
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) challenges: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) failed_logins: AtomicU64,
    pub(super) renewals: AtomicU64,
    pub(super) joins: AtomicU64,
    pub(super) replays: AtomicU64,
    refusals: Mutex<Refusals>,
}

impl Counters {
    pub(super) fn gave_up(&self, refusal: &Refusal) {
        *self.refusals().of(refusal) += 1;
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> Stats {
        Stats {
            challenges: self.challenges.load(Relaxed),
            logins: self.logins.load(Relaxed),
            failed_logins: self.failed_logins.load(Relaxed),
            renewals: self.renewals.load(Relaxed),
            joins: self.joins.load(Relaxed),
            replays: self.replays.load(Relaxed),
            identities: 0,
            refusals: *self.refusals(),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
