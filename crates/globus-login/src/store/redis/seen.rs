//! The revisions of users that this process has read.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

/// The most recently used users of this process, by their tags.
#[derive(Debug)]
pub(super) struct Seen {
    users: LruCache<String, User>,
    max_age: Duration,
    /// How long a new user needs no read: the first request looks the credential up, and the
    /// look-up reads the user.
    first_age: Duration,
    /// The last number that was assigned.
    last_number: u64,
}

#[derive(Debug)]
struct User {
    /// Changes whenever the revision changes. No two users have the same number. A user who was
    /// forgotten gets a new number, so that a caller who compares numbers sees a change.
    number: u64,
    revision: Option<u64>,
    /// When the last read of the revision started. Before the first read: when the number was first
    /// asked for.
    read_at: Instant,
}

impl Seen {
    /// `timeout` is the maximum time to wait for an answer of Redis.
    pub(super) fn new(max_users: NonZeroUsize, max_age: Duration, timeout: Duration) -> Self {
        Self {
            users: LruCache::new(max_users),
            max_age,
            first_age: max_age.min(timeout),
            last_number: 0,
        }
    }

    /// The number of a user, and whether the caller has to read the revision again now.
    pub(super) fn number(&mut self, tag: &str) -> (u64, bool) {
        let (now, max_age, first_age) = (Instant::now(), self.max_age, self.first_age);
        let user = self.user(tag);
        let age = match user.revision {
            Some(_) => max_age,
            None => first_age,
        };
        let is_due = now - user.read_at >= age;
        if is_due {
            user.read_at = now;
        }
        (user.number, is_due)
    }

    /// Stores a revision that was read.
    pub(super) fn read(&mut self, tag: &str, revision: u64) {
        self.user(tag).read_at = Instant::now();
        self.note(tag, revision);
    }

    /// Stores a revision from a message. A message does not count as a read, so a program that
    /// sends false messages cannot delay the read that finds a logout.
    pub(super) fn note(&mut self, tag: &str, revision: u64) {
        let next = self.last_number + 1;
        let Some(user) = self.users.peek_mut(tag) else {
            return;
        };
        let before = user.revision.replace(revision);
        if before.is_some_and(|before| before != revision) {
            user.number = next;
            self.last_number = next;
        }
    }

    fn user(&mut self, tag: &str) -> &mut User {
        if !self.users.contains(tag) {
            self.last_number += 1;
        }
        let number = self.last_number;
        self.users.get_or_insert_mut_ref(tag, || User {
            number,
            revision: None,
            read_at: Instant::now(),
        })
    }
}
