//! Logins as this program read or wrote them a moment ago.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::store::{UserKey, Versioned};

/// How old a copy may be: as old as it gets between two steps of one request. An older one is
/// dropped when the next login comes in.
const MAX_AGE: Duration = Duration::from_secs(10);

const MOST: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// The newest copies, so that the steps of one request read the store once.
///
/// A copy may be out of date. A change that is made from one is safe: the store refuses it where
/// somebody else was faster. Whether a change is needed at all is for the store to say.
#[derive(Debug)]
pub(super) struct Copies(Mutex<LruCache<UserKey, (Instant, Versioned)>>);

impl Copies {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }

    pub(super) fn put(&self, user: &UserKey, kept: Versioned) {
        let now = Instant::now();
        let mut copies = self.lock();
        copies.put(user.clone(), (now, kept));
        let is_old = |(_, (at, _)): (&UserKey, &(Instant, Versioned))| now - *at >= MAX_AGE;
        while copies.peek_lru().is_some_and(is_old) {
            copies.pop_lru();
        }
    }

    pub(super) fn get(&self, user: &UserKey) -> Option<Versioned> {
        let copies = self.lock();
        // `peek` leaves them in the order in which they came.
        let (at, kept) = copies.peek(user)?;
        (at.elapsed() < MAX_AGE).then(|| kept.clone())
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<UserKey, (Instant, Versioned)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
