use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use tokio::sync::{OnceCell, broadcast};

use super::super::{Sealer, StoreError};
use super::seen::Seen;
use super::{MESSAGES, RedisStore, Shared};

/// How long a login is kept that nobody changes: Globus Auth ends refresh tokens that were not
/// used for six months.
const KEEP_FOR: Duration = Duration::from_secs(180 * 24 * 3600);
const MAX_AGE: Duration = Duration::from_secs(30);
const MAX_USERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
const POLL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);
const PREFIX: &str = "globus-gare";

/// Settings for a [`RedisStore`].
///
/// ```no_run
/// use std::time::Duration;
/// use globus_login::{RedisStore, Sealer};
///
/// let store = RedisStore::builder()
///     .prefix("portal")
///     .max_age(Duration::from_secs(10))
///     .build("rediss://redis.example/", Sealer::random())?;
/// # Ok::<(), globus_login::StoreError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisStoreBuilder {
    pub(super) prefix: String,
    pub(super) keep_for: Duration,
    pub(super) max_age: Duration,
    pub(super) max_users: NonZeroUsize,
    pub(super) poll: Duration,
    pub(super) timeout: Duration,
}

impl Default for RedisStoreBuilder {
    fn default() -> Self {
        Self {
            prefix: PREFIX.to_owned(),
            keep_for: KEEP_FOR,
            max_age: MAX_AGE,
            max_users: MAX_USERS,
            poll: POLL,
            timeout: TIMEOUT,
        }
    }
}

impl RedisStoreBuilder {
    /// The beginning of all keys and channels: `globus-gare` by default. Services that share a Redis
    /// and no logins take different ones.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a login is kept that is not changed: 180 days by default. A refresh is a change.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.keep_for = time;
        self
    }

    /// How old the revision that this process has read of a user may become: 30 seconds by default.
    /// The first request after that has it read again, and does not wait for it.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Of how many users this process remembers the revision: 16,384 by default. A user who was
    /// forgotten has the credential looked up again.
    pub fn max_users(mut self, users: NonZeroUsize) -> Self {
        self.max_users = users;
        self
    }

    /// How often Redis is read by those who wait for a change, in case that a message is lost: every
    /// 5 seconds by default, give or take a quarter.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// How long an answer of Redis is waited for: 2 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The store at `url`, which `sealer` encrypts. It connects when it is first used.
    ///
    /// # Errors
    ///
    /// If the URL is none of a Redis.
    pub fn build(self, url: &str, sealer: Sealer) -> Result<RedisStore, StoreError> {
        let none = |error| StoreError::unavailable("the URL is none of a Redis", error);
        let info = url.into_connection_info().map_err(none)?;
        // Messages come over the same connection.
        let protocol = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(protocol)).map_err(none)?;
        Ok(RedisStore(Arc::new(Shared {
            client,
            sealer,
            connection: OnceCell::new(),
            seen: Mutex::new(Seen::new(self.max_users, self.max_age, self.timeout)),
            messages: broadcast::channel(MESSAGES).0,
            is_down: AtomicBool::new(false),
            settings: self,
        })))
    }
}
