//! Not trying again for a while.

use std::time::Duration;

use tokio::time::Instant;

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
