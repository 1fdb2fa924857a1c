//! The revisions of users, as this process has read them.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

/// The users of this process by their tags, those that were used last.
#[derive(Debug)]
pub(super) struct Seen {
    users: LruCache<String, User>,
    max_age: Duration,
    /// How long a user who was not read yet is not due: the first request looks the credential up,
    /// which reads.
    first_age: Duration,
    /// The last number that was given out.
    last_number: u64,
}

#[derive(Debug)]
struct User {
    /// Another one whenever the revision is another. No two users have the same, nor has a user who
    /// was forgotten and came back: whoever compares takes that for a change.
    number: u64,
    revision: Option<u64>,
    /// When it was last read, or somebody began to; at first when it was first asked for.
    read_at: Instant,
}

impl Seen {
    /// `timeout` is how long an answer of Redis is waited for.
    pub(super) fn new(max_users: NonZeroUsize, max_age: Duration, timeout: Duration) -> Self {
        Self {
            users: LruCache::new(max_users),
            max_age,
            first_age: max_age.min(timeout),
            last_number: 0,
        }
    }

    /// The number of a user, and whether what is kept is to be read again now, by the caller.
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

    /// Notes the revision that was read.
    pub(super) fn read(&mut self, tag: &str, revision: u64) {
        self.user(tag).read_at = Instant::now();
        self.note(tag, revision);
    }

    /// Notes the revision that a message told of. That is no read: whoever can send messages cannot
    /// keep a logout from being read.
    pub(super) fn told(&mut self, tag: &str, revision: u64) {
        self.note(tag, revision);
    }

    fn note(&mut self, tag: &str, revision: u64) {
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
