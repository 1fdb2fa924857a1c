//! A bounded cache whose idle values expire.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

/// Values by key. A value that was not used for `idle` is dropped at the next use of the cache.
#[derive(Debug)]
pub(super) struct Remembered<K: Hash + Eq, V> {
    values: LruCache<K, (Instant, V)>,
    idle: Option<Duration>,
    forgotten: u64,
}

impl<K: Hash + Eq, V> Remembered<K, V> {
    /// Makes a cache of at most `most` values. Without `idle`, values do not expire.
    pub(super) fn new(most: NonZeroUsize, idle: Option<Duration>) -> Self {
        Self {
            values: LruCache::new(most),
            idle,
            forgotten: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        let now = self.forget_idle();
        let (used, value) = self.values.get_mut(key)?;
        *used = now;
        Some(value)
    }

    /// The value of `key`. A missing value is made by `new` from the number of values dropped so
    /// far.
    pub(super) fn get_or_insert(&mut self, key: K, new: impl FnOnce(u64) -> V) -> &mut V {
        let now = self.forget_idle();
        let is_full = self.values.len() == self.values.cap().get();
        if is_full && !self.values.contains(&key) {
            self.forgotten += 1;
        }
        let forgotten = self.forgotten;
        let entry = self.values.get_or_insert_mut(key, || (now, new(forgotten)));
        entry.0 = now;
        &mut entry.1
    }

    /// Drops idle values, and returns the time.
    fn forget_idle(&mut self) -> Instant {
        let now = Instant::now();
        let Some(idle) = self.idle else {
            return now;
        };
        let is_idle = |(_, (used, _)): (&K, &(Instant, V))| now.duration_since(*used) >= idle;
        while self.values.peek_lru().is_some_and(is_idle) {
            self.values.pop_lru();
            self.forgotten += 1;
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test(start_paused = true)]
    async fn idle_value_is_dropped_and_used_value_stays() {
        let hour = Duration::from_secs(3600);
        let most = NonZeroUsize::new(3).expect("not zero");
        let mut values = Remembered::new(most, Some(hour));
        for key in ["first", "idle", "third"] {
            assert_eq!(*values.get_or_insert(key, |forgotten| forgotten), 0);
        }
        assert_eq!(*values.get_or_insert("fourth", |_| 4), 4);
        assert_eq!((values.len(), values.get(&"first")), (3, None));
        for _ in 0..6 {
            tokio::time::advance(hour / 4).await;
            assert_eq!(values.get(&"fourth"), Some(&4));
        }
        assert_eq!((values.len(), values.get(&"idle")), (1, None));
        assert_eq!(*values.get_or_insert("idle", |forgotten| forgotten), 3);
    }
}
