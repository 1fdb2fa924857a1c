//! A store in Redis: logins that several machines share.

mod builder;
mod connection;
mod scripts;
mod seen;

pub use self::builder::RedisStoreBuilder;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use oauth2::CsrfToken;
use redis::Client;
use redis::aio::ConnectionManager;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, broadcast};

use self::connection::Change;
use self::seen::Seen;
use super::files::moment;
use super::login_store::jittered;
use super::version::digest;
use super::{
    Holder, Leased, Login, LoginStore, Sealer, StoreError, UserKey, Version, Versioned, Waiting,
    Work,
};

/// How many messages are buffered for a slow listener. One that misses messages loads the login.
const MESSAGES: usize = 1024;

/// Keeps logins in Redis (or Valkey), for the replicas of a service.
///
/// All keys of a user are under the hash of the [`UserKey`]. The login is sealed: it cannot be read
/// without a key of the [`Sealer`]. Leases and notices hold no secret, and are not sealed. The store
/// connects to one Redis; [the guide](crate::guide::many_machines) says what of a cluster works.
///
/// # Guarantees
///
/// - A commit succeeds only if nobody else has committed since the load: Redis compares the version
///   and replaces the login in one step. If Redis loses a confirmed write (a replica takes over, or
///   the machine fails before the data is on disk), the user may have to log in again. Nothing else
///   is lost.
/// - A lease expires. If it expires too early, two machines do the same work, and one of the two
///   commits succeeds.
/// - The other machines learn of a logout at once, by a message (`PUBLISH`). A message can be lost.
///   Then they learn of the logout by the second request of the user after
///   [`max_age`](RedisStoreBuilder::max_age) at the latest.
/// - While Redis does not answer, every call fails with
///   [`is_unavailable`](StoreError::is_unavailable) after [`timeout`](RedisStoreBuilder::timeout).
///   Sessions keep sending the credentials that they hold, and nobody is asked to log in. The
///   events are `redis does not answer` (WARN) and `redis answers again` (INFO).
///
/// The store connects at its first use, on the runtime of that use, and reconnects when the
/// connection is lost.
///
/// ```no_run
/// use globus_login::{GlobusApp, RedisStore, Sealer};
///
/// let sealer: Sealer = std::env::var("LOGIN_KEYS")?.parse()?;
/// let store = RedisStore::new("redis://redis.example/", sealer)?;
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").store(store).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Clone
///
/// Clones share one connection.
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

struct Shared {
    client: Client,
    sealer: Sealer,
    settings: RedisStoreBuilder,
    connection: OnceCell<ConnectionManager>,
    seen: Mutex<Seen>,
    messages: broadcast::Sender<Change>,
    is_down: AtomicBool,
}

impl RedisStore {
    /// Makes a store with the default settings at `url`, with logins encrypted by `sealer`. `url`
    /// is a `redis://` or `rediss://` URL, with a password and a database number where needed.
    ///
    /// # Errors
    ///
    /// If `url` is not the URL of a Redis server.
    pub fn new(url: &str, sealer: Sealer) -> Result<Self, StoreError> {
        Self::builder().build(url, sealer)
    }

    /// Starts to configure a store.
    pub fn builder() -> RedisStoreBuilder {
        RedisStoreBuilder::default()
    }

    /// Reads the login of a user in the background.
    fn look(&self, user: &UserKey) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (store, user) = (self.clone(), user.clone());
        runtime.spawn(async move {
            // After an error, the next read that is due tries again.
            let _ = store.load(&user).await;
        });
    }
}

impl Shared {
    fn key(&self, user: &UserKey, what: &str) -> String {
        let (prefix, environment) = (&self.settings.prefix, user.environment());
        format!("{prefix}:{environment}:{{{}}}:{what}", tag(user))
    }

    fn lease_key(&self, user: &UserKey, work: Work) -> String {
        self.key(user, &format!("lease-{}", work.as_str()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LoginStore for RedisStore {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let mut connection = self.connection().await?;
        let fields = redis::cmd("HMGET")
            .arg(self.0.key(user, "login"))
            .arg(&["version", "login"])
            .query_async(&mut connection)
            .await;
        let fields: (Option<String>, Option<String>) = self.0.answered(fields)?;
        let versioned = match fields {
            (Some(version), Some(text)) => {
                let version = Version::new(version);
                let login = self.0.sealer.open_login(user, &version, &text)?;
                Versioned { version, login }
            }
            _ => Versioned {
                version: Version::NONE,
                login: Login::default(),
            },
        };
        let revision = versioned.login.revision();
        self.0.seen().read(&tag(user), revision);
        Ok(versioned)
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let version = after(base);
        let sealed = self.0.sealer.seal_login(user, &version, login)?;
        let mut connection = self.connection().await?;
        let prefix = &self.0.settings.prefix;
        let (tag, revision) = (tag(user), login.revision());
        let change = Change {
            tag,
            revision,
            version,
        };
        let is_done = scripts::COMMIT
            .key(self.0.key(user, "login"))
            .arg(base.as_str())
            .arg(change.version.as_str())
            .arg(sealed)
            .arg(milliseconds(self.0.settings.keep_for))
            .arg(format!("{prefix}:{}:changed", user.environment()))
            .arg(change.text())
            .invoke_async(&mut connection)
            .await;
        let is_done: bool = self.0.answered(is_done)?;
        if !is_done {
            return Ok(None);
        }
        self.0.seen().read(&change.tag, revision);
        Ok(Some(change.version))
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let mut connection = self.connection().await?;
        let busy = scripts::LEASE
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        let busy: Option<(String, u64)> = self.0.answered(busy)?;
        let Some((holder, remaining)) = busy else {
            return Ok(Leased::Held);
        };
        let holder = serde_json::from_str(&holder)
            .map_err(|error| StoreError::damaged("a lease cannot be read", error))?;
        Ok(Leased::Busy {
            holder,
            remaining: Duration::from_millis(remaining.max(1)),
        })
    }

    async fn extend(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        let is_ours = scripts::EXTEND
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        self.0.answered(is_ours)
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let released = scripts::RELEASE
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .invoke_async(&mut connection)
            .await;
        self.0.answered(released)
    }

    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let posted = scripts::POST
            .key(self.0.key(user, "waiting"))
            .arg(waiting.by.id())
            .arg(text(waiting)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        self.0.answered(posted)
    }

    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let mut connection = self.connection().await?;
        let notices = scripts::WAITING
            .key(self.0.key(user, "waiting"))
            .invoke_async(&mut connection)
            .await;
        let notices: Vec<String> = self.0.answered(notices)?;
        // A notice by a newer version may have another format.
        let notices = notices.iter().map(|notice| serde_json::from_str(notice));
        Ok(notices.filter_map(Result::ok).collect())
    }

    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let withdrawn = redis::cmd("HDEL")
            .arg(self.0.key(user, "waiting"))
            .arg(by.id())
            .query_async(&mut connection)
            .await;
        self.0.answered(withdrawn)
    }

    async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
        let mut messages = self.0.messages.subscribe();
        let tag = tag(user);
        while self.load(user).await?.version == *seen {
            let message = async {
                let is_for_others = |change: Change| change.tag != tag || change.version == *seen;
                // An error: some were missed, and it may have been one of them.
                while messages.recv().await.is_ok_and(is_for_others) {}
            };
            // Polls as well: a message may be lost.
            let poll = jittered(self.0.settings.poll);
            let _ = tokio::time::timeout(poll, message).await;
        }
        Ok(())
    }

    async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        match self.load(user).await {
            Ok(_) => return Ok(None),
            Err(error) if !error.is_damaged() => return Err(error),
            Err(_) => {}
        }
        let mut connection = self.connection().await?;
        let aside = self
            .0
            .key(user, &format!("damaged-{}", moment(SystemTime::now())));
        let renamed = redis::cmd("RENAME")
            .arg(self.0.key(user, "login"))
            .arg(&aside)
            .query_async(&mut connection)
            .await;
        let () = self.0.answered(renamed)?;
        Ok(Some(aside))
    }

    fn revision(&self, user: &UserKey) -> Option<u64> {
        let (number, is_due) = self.0.seen().number(&tag(user));
        if is_due {
            self.look(user);
        }
        Some(number)
    }
}

/// The name of a user in keys and messages.
fn tag(user: &UserKey) -> String {
    // The quotes delimit the parts, so that no two users share a tag.
    let parts = [user.environment(), user.client(), user.user()].map(|part| format!("{part:?}"));
    digest(parts.concat().as_bytes())
}

/// The version that follows `base`: a count and a random text. A login that was lost and written
/// again thus never has an earlier version.
fn after(base: &Version) -> Version {
    let count = base.as_str().split('.').next();
    let count: u64 = count.and_then(|count| count.parse().ok()).unwrap_or(0);
    let nonce = CsrfToken::new_random_len(9).into_secret();
    Version::new(format!("{}.{nonce}", count.wrapping_add(1)))
}

fn text(value: &impl serde::Serialize) -> Result<String, StoreError> {
    let text = serde_json::to_string(value);
    text.map_err(|error| StoreError::damaged("a lease cannot be written", error))
}

fn milliseconds(time: Duration) -> u64 {
    // Redis adds the time to its clock, and the sum has to fit into an i64.
    u64::try_from(time.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, 1 << 50)
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redis = self.0.client.get_connection_info().addr().to_string();
        f.debug_struct("RedisStore")
            .field("redis", &redis)
            .finish_non_exhaustive()
    }
}
