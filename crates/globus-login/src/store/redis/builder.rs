use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use tokio::sync::broadcast;

use super::super::{Sealer, StoreError};
use super::seen::Seen;
use super::{MESSAGES, RedisStore, Shared};

/// How long an unchanged login is kept: Globus Auth expires refresh tokens that were not used for
/// six months.
const KEEP_FOR: Duration = Duration::from_secs(180 * 24 * 3600);
const MAX_AGE: Duration = Duration::from_secs(30);
const MAX_USERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
const POLL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);
/// After how long a silent connection is probed. On Linux a connection also counts as lost after this
/// time without an acknowledgement of what was sent.
const SILENCE: Duration = Duration::from_secs(10);
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
    /// The prefix of all keys and channels. Default: `globus-gare`. Services that share a Redis
    /// server, but no logins, need different prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long an unchanged login is kept. A refresh is a change. Default: 180 days.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.keep_for = time;
        self
    }

    /// The maximum age of a user's revision in the memory of this process. Default: 30 seconds. The
    /// first request after that starts a new read in the background, and does not wait for it.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The maximum number of users whose revision this process remembers. Default: 16,384. The
    /// credential of a forgotten user is looked up again.
    pub fn max_users(mut self, users: NonZeroUsize) -> Self {
        self.max_users = users;
        self
    }

    /// How often a program that waits for a change reads Redis, in case a message was lost.
    /// Default: every 5 seconds, with a jitter of a quarter.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// How long to wait for each of two attempts to connect to Redis, and for an answer. Default:
    /// 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the store at `url`, with logins encrypted by `sealer`. The store connects at its first
    /// use.
    ///
    /// # Errors
    ///
    /// If `url` is not the URL of a Redis server.
    pub fn build(self, url: &str, sealer: Sealer) -> Result<RedisStore, StoreError> {
        let none = |error| {
            let message = "the URL is not that of a Redis server: use redis://HOST:PORT/ or \
                           rediss://HOST:PORT/";
            StoreError::unavailable(message, error)
        };
        let info = url.into_connection_info().map_err(none)?;
        // RESP3 sends messages over the same connection.
        let protocol = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let info = info
            .set_redis_settings(protocol)
            .set_tcp_settings(tcp_settings());
        let client = Client::open(info).map_err(none)?;
        Ok(RedisStore(Arc::new(Shared {
            client,
            sealer,
            connection: Mutex::default(),
            seen: Mutex::new(Seen::new(self.max_users, self.max_age, self.timeout)),
            messages: broadcast::channel(MESSAGES).0,
            is_down: AtomicBool::new(false),
            settings: self,
        })))
    }
}

/// Finds out that the machine of Redis has gone. An answer that does not come in time is no sign of
/// that: the connection stays.
fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(TcpKeepalive::new().with_time(SILENCE));
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(SILENCE);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn lost_machine_is_noticed() {
        let store = RedisStore::new("redis://127.0.0.1/", Sealer::random()).expect("a URL");
        let settings = store.0.client.get_connection_info().tcp_settings().clone();
        assert!(settings.nodelay() && settings.keepalive().is_some());
        #[cfg(target_os = "linux")]
        assert_eq!(settings.user_timeout(), Some(SILENCE));
    }

    #[checks::test]
    fn error_of_a_url_says_what_to_use() {
        let error = RedisStore::new("http://127.0.0.1/", Sealer::random());
        let error = error.expect_err("not Redis").to_string();
        assert!(error.contains("use redis://HOST:PORT/"), "{error}");
    }
}
