//! The revisions of users, as this process has read them.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::super::UserKey;

/// The users of this process by their tags, bounded: the least recently used one is dropped.
#[derive(Debug)]
pub(super) struct Seen {
    users: LruCache<String, User>,
    max_age: Duration,
    /// The last number that a user was given.
    last_number: u64,
}

#[derive(Debug)]
struct User {
    key: UserKey,
    /// Changes whenever the revision changes. No two users share a number, and a user who was
    /// forgotten gets a new one: a session takes that for a change.
    number: u64,
    revision: Option<u64>,
    /// When the last read began or ended.
    read_at: Option<Instant>,
}

impl Seen {
    pub(super) fn new(max_users: NonZeroUsize, max_age: Duration) -> Self {
        Self {
            users: LruCache::new(max_users),
            max_age,
            last_number: 0,
        }
    }

    /// The number of a user, and whether the caller has to read the login again now.
    pub(super) fn number(&mut self, tag: &str, key: &UserKey) -> (u64, bool) {
        let (now, max_age) = (Instant::now(), self.max_age);
        let user = self.user(tag, key);
        let is_due = user.read_at.is_none_or(|at| now - at >= max_age);
        if is_due {
            user.read_at = Some(now);
        }
        (user.number, is_due)
    }

    /// Records the revision that was read.
    pub(super) fn read(&mut self, tag: &str, key: &UserKey, revision: u64) {
        let next = self.last_number + 1;
        let user = self.user(tag, key);
        user.read_at = Some(Instant::now());
        let before = user.revision.replace(revision);
        if before.is_some_and(|before| before != revision) {
            user.number = next;
            self.last_number = next;
        }
    }

    /// The user with this tag, if this process has used it.
    pub(super) fn key(&self, tag: &str) -> Option<UserKey> {
        self.users.peek(tag).map(|user| user.key.clone())
    }

    fn user(&mut self, tag: &str, key: &UserKey) -> &mut User {
        if !self.users.contains(tag) {
            self.last_number += 1;
        }
        let number = self.last_number;
        self.users.get_or_insert_mut_ref(tag, || User {
            key: key.clone(),
            number,
            revision: None,
            read_at: None,
        })
    }
}
