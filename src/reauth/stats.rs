use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a session has done so far: read with [`Session::stats`](super::Session::stats).
///
/// The numbers are read one after another while requests go on, so they may be
/// off against each other by what happened in between.
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
    /// Challenged responses that went back to the caller.
    pub refusals: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) challenges: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) failed_logins: AtomicU64,
    pub(super) renewals: AtomicU64,
    pub(super) joins: AtomicU64,
    pub(super) replays: AtomicU64,
    pub(super) refusals: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> Stats {
        Stats {
            challenges: self.challenges.load(Relaxed),
            logins: self.logins.load(Relaxed),
            failed_logins: self.failed_logins.load(Relaxed),
            renewals: self.renewals.load(Relaxed),
            joins: self.joins.load(Relaxed),
            replays: self.replays.load(Relaxed),
            refusals: self.refusals.load(Relaxed),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
