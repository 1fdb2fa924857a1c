//! Bounds how many logins of an account may succeed while no request is accepted afterwards.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// How many paths are remembered of the requests that waited for one login.
const MAX_PATHS: usize = 64;

/// A number of logins in a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) logins: u32,
    pub(super) within: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Budget(VecDeque<Spent>);

/// A login that succeeded.
#[derive(Debug)]
struct Spent {
    at: Instant,
    generation: u64,
    waited: Waited,
}

/// The paths of the requests that waited for a login.
#[derive(Clone, Debug, Default)]
pub(super) struct Waited(Vec<Arc<str>>);

impl Waited {
    pub(super) fn add(&mut self, path: &Arc<str>) {
        if self.0.len() < MAX_PATHS && !self.0.contains(path) {
            self.0.push(Arc::clone(path));
        }
    }
}

impl Budget {
    pub(super) fn spend(&mut self, generation: u64, waited: Waited, now: Instant, limit: Limit) {
        self.0.push_back(Spent {
            at: now,
            generation,
            waited,
        });
        while self.0.len() > limit.logins as usize {
            self.0.pop_front();
        }
    }

    /// Notes that a request was accepted. A login that a request for this path waited for no longer
    /// counts.
    pub(super) fn note_accepted(&mut self, generation: u64, path: &str) {
        self.0.retain(|spent| {
            spent.generation > generation || !spent.waited.0.iter().any(|waited| **waited == *path)
        });
    }

    /// How long no login may begin. `None` if one may begin now.
    pub(super) fn spent_for(&self, now: Instant, limit: Limit) -> Option<Duration> {
        let oldest = self.0.len().checked_sub(limit.logins as usize)?;
        let oldest = self.0.get(oldest).map_or(now, |spent| spent.at);
        let left = limit.within.saturating_sub(now.duration_since(oldest));
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn sixty_four_waiting_paths_are_remembered() {
        let now = Instant::now();
        let limit = Limit {
            logins: 1,
            within: Duration::from_secs(600),
        };
        let mut waited = Waited::default();
        for number in 0..=MAX_PATHS {
            let path = format!("/{number}").into();
            waited.add(&path);
            waited.add(&path);
        }
        let mut budget = Budget::default();
        budget.spend(1, waited, now, limit);
        budget.note_accepted(1, "/64");
        assert_eq!(budget.spent_for(now, limit), Some(limit.within));
        budget.note_accepted(1, "/63");
        assert_eq!(budget.spent_for(now, limit), None);
    }
}
