//! Exponential backoff.

use std::time::Duration;

use tokio::time::Instant;

/// The wait if the clock cannot express the end of a longer one.
const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The first and the longest wait of a backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

/// A wait before the next attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    length: Duration,
    ends_at: Instant,
}

impl Backoff {
    /// The backoff that follows `previous`: twice as long, unless that one ended long ago.
    pub(super) fn after(previous: Option<Self>, now: Instant, lengths: Lengths) -> Self {
        let recent = previous.filter(|previous| now < later(previous.ends_at, lengths.longest));
        let length = recent.map_or(lengths.first, |previous| previous.length.saturating_mul(2));
        let length = length.min(lengths.longest);
        Self {
            length,
            ends_at: later(now, length),
        }
    }

    /// The rest of the wait. `None` once it is over.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.ends_at.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

pub(super) fn later(now: Instant, length: Duration) -> Instant {
    now.checked_add(length).unwrap_or(now + DECADES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: Lengths = Lengths {
        first: Duration::from_secs(30),
        longest: Duration::from_secs(900),
    };

    #[checks::test]
    fn backoff_doubles_up_to_the_longest() {
        let mut now = Instant::now();
        let mut backoff = None;
        let mut lengths = Vec::new();
        for _ in 0..7 {
            let next = Backoff::after(backoff, now, LENGTHS);
            let left = next.left(now).expect("a backoff");
            lengths.push(left.as_secs());
            now += left;
            assert!(next.left(now).is_none());
            backoff = Some(next);
        }
        assert_eq!(lengths, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[checks::test]
    fn backoff_starts_anew_after_the_longest() {
        let now = Instant::now();
        let first = Backoff::after(None, now, LENGTHS);
        let soon = Backoff::after(Some(first), now + Duration::from_secs(929), LENGTHS);
        assert_eq!(soon.length, Duration::from_secs(60));
        let late = Backoff::after(Some(first), now + Duration::from_secs(930), LENGTHS);
        assert_eq!(late.length, Duration::from_secs(30));
    }
}
