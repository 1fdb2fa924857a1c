//! [`Clock`]: the movable clock of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock that measures session ages and token lifetimes: the real time plus what a test added.
///
/// The `iat` and `exp` of ID tokens use the real time, because a program checks them by its own
/// clock.
///
/// # Clone
///
/// Clones share one clock.
///
/// ```
/// use fake_globus::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::default();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert!(clock.now().duration_since(before).unwrap() >= Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    /// The current time of the server.
    pub fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// Moves the clock ahead by `by`, rounded down to milliseconds. Only a reset or a loaded dump
    /// moves the clock back.
    pub fn advance(&self, by: Duration) {
        // Ten thousand years, so that adding to the current time cannot overflow.
        const LIMIT: u64 = 315_576_000_000_000;
        let by = u64::try_from(by.as_millis()).unwrap_or(LIMIT);
        let _ = self
            .ahead_ms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| {
                Some(ahead.saturating_add(by).min(LIMIT))
            });
    }

    pub(super) fn ahead_ms(&self) -> u64 {
        self.ahead_ms.load(Ordering::SeqCst)
    }

    pub(super) fn set_ahead_ms(&self, ahead: u64) {
        self.ahead_ms.store(ahead, Ordering::SeqCst);
    }
}

/// Whole seconds since 1970, the unit of OAuth documents. 0 for earlier times.
pub(super) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// `at` as a time of the `jiff` crate, or the epoch if `jiff` cannot represent it.
pub(super) fn timestamp(at: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// `at` in the format of most services, such as `2023-12-18T16:52:50.000000+00:00`.
pub(super) fn written(at: SystemTime) -> String {
    let at = timestamp(at);
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
