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
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use self::connection::{Change, Connected};
use self::seen::Seen;
use super::files::moment;
use super::login_store::jittered;
use super::{
    Holder, Leased, Login, LoginStore, Sealer, StoreError, UserKey, Version, Versioned, Waiting,
    Work,
};

/// How many messages are buffered for a slow listener. One that misses messages loads the login.
const MESSAGES: usize = 1024;

/// A store in Redis (or Valkey), for the replicas of a service.
///
/// All keys of a user are under the hash of the [`UserKey`]. The login is sealed: it cannot be read
/// without a key of the [`Sealer`]. Leases and notices hold no secret, and are not sealed. The
/// store connects to one Redis; [the guide](crate::guide::many_machines) says which clusters work.
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
///   [`is_unavailable`](StoreError::is_unavailable) after [`timeout`](RedisStoreBuilder::timeout),
///   or after twice that while the store connects. Sessions keep sending the credentials that they
///   hold, and nobody is asked to log in. The events are `redis does not answer` (WARN) and `redis
///   answers again` (INFO).
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
    connection: Mutex<Option<Connected>>,
    seen: Mutex<Seen>,
    messages: broadcast::Sender<Change>,
    is_down: AtomicBool,
}

impl RedisStore {
    /// Makes a store with the default settings at `url`, with logins encrypted by `sealer`. `url`
    /// is a `redis://` or `rediss://` URL, with a password and a database number where needed.
    ///
    /// With a `rediss://` URL, in a program that has two crypto providers of rustls (such as
    /// `aws-lc-rs` and `ring`): install one with `CryptoProvider::install_default` first.
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

    async fn fields(&self, user: &UserKey) -> Result<Fields, StoreError> {
        let mut connection = self.connection()?;
        let fields = redis::cmd("HMGET")
            .arg(self.0.key(user, "login"))
            .arg(&["version", "login"])
            .query_async(&mut connection)
            .await;
        let (version, login) = self.answered(fields)?;
        Ok(Fields { version, login })
    }

    fn opened(&self, user: &UserKey, fields: &Fields) -> Result<Versioned, StoreError> {
        let (version, text) = match fields {
            Fields {
                version: None,
                login: None,
            } => return Ok(Versioned::of(Login::default())),
            Fields { version, login } => (version.as_deref(), login.as_deref()),
        };
        let text_of = |bytes: Option<&[u8]>| {
            let bytes = bytes.ok_or("a field is missing");
            bytes.and_then(|it| String::from_utf8(it.to_vec()).map_err(|_| "a field is no text"))
        };
        let cannot = |reason| {
            let redis = self.0.client.get_connection_info().addr();
            let message = format!(
                "Redis at {redis} has data that is not a login: force a login to set it aside"
            );
            StoreError::damaged(message, reason)
        };
        let version = Version::new(text_of(version).map_err(cannot)?);
        let text = text_of(text).map_err(cannot)?;
        let login = self.0.sealer.open_login(user, &version, &text)?;
        Ok(Versioned { version, login })
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
        format!("{prefix}:{environment}:{{{}}}:{what}", user.hashed())
    }

    /// One channel for all users: a pattern would hear stores whose prefix begins with this one's.
    fn channel(&self) -> String {
        format!("{}:changed", self.settings.prefix)
    }

    fn lease_key(&self, user: &UserKey, work: Work) -> String {
        self.key(user, &format!("lease-{}", work.as_str()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login as it is stored.
struct Fields {
    version: Option<Vec<u8>>,
    login: Option<Vec<u8>>,
}

#[async_trait]
impl LoginStore for RedisStore {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let versioned = self.opened(user, &self.fields(user).await?)?;
        let revision = versioned.login.revision();
        self.0.seen().read(&user.hashed(), revision);
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
        let mut connection = self.connection()?;
        let (tag, revision) = (user.hashed(), login.revision());
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
            .arg(self.0.channel())
            .arg(change.text())
            .invoke_async(&mut connection)
            .await;
        let is_done: bool = self.answered(is_done)?;
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
        let mut connection = self.connection()?;
        let busy = scripts::LEASE
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        let busy: Option<(String, u64)> = self.answered(busy)?;
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
        let mut connection = self.connection()?;
        let is_ours = scripts::EXTEND
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        self.answered(is_ours)
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let released = scripts::RELEASE
            .key(self.0.lease_key(user, work))
            .arg(text(holder)?)
            .invoke_async(&mut connection)
            .await;
        self.answered(released)
    }

    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let posted = scripts::POST
            .key(self.0.key(user, "waiting"))
            .arg(waiting.by.id())
            .arg(text(waiting)?)
            .arg(milliseconds(ttl))
            .invoke_async(&mut connection)
            .await;
        self.answered(posted)
    }

    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let mut connection = self.connection()?;
        let notices = scripts::WAITING
            .key(self.0.key(user, "waiting"))
            .invoke_async(&mut connection)
            .await;
        let notices: Vec<String> = self.answered(notices)?;
        // A notice by a newer version may have another format.
        let notices = notices.iter().map(|notice| serde_json::from_str(notice));
        Ok(notices.filter_map(Result::ok).collect())
    }

    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let mut connection = self.connection()?;
        let withdrawn = redis::cmd("HDEL")
            .arg(self.0.key(user, "waiting"))
            .arg(by.id())
            .query_async(&mut connection)
            .await;
        self.answered(withdrawn)
    }

    async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
        let mut messages = self.0.messages.subscribe();
        let tag = user.hashed();
        while self.load(user).await?.version == *seen {
            let message = async {
                let is_for_others = |change: Change| change.tag != tag || change.version == *seen;
                // After an error, load again: messages were lost, perhaps one about this user.
                while messages.recv().await.is_ok_and(is_for_others) {}
            };
            // Polls as well: a message may be lost.
            let poll = jittered(self.0.settings.poll);
            let _ = tokio::time::timeout(poll, message).await;
        }
        Ok(())
    }

    async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        let damaged = self.fields(user).await?;
        match self.opened(user, &damaged) {
            Ok(_) => return Ok(None),
            Err(error) if !error.is_damaged() => return Err(error),
            Err(_) => {}
        }
        let mut connection = self.connection()?;
        let aside = format!("damaged-{}", moment(SystemTime::now()));
        let aside = self.0.key(user, &aside);
        let is_done = scripts::SET_ASIDE
            .key(self.0.key(user, "login"))
            .key(&aside)
            .arg(damaged.version.unwrap_or_default())
            .invoke_async(&mut connection)
            .await;
        let is_done: bool = self.answered(is_done)?;
        Ok(is_done.then_some(aside))
    }

    fn revision(&self, user: &UserKey) -> Option<u64> {
        let (number, is_due) = self.0.seen().number(&user.hashed());
        if is_due {
            self.look(user);
        }
        Some(number)
    }
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
    text.map_err(|error| StoreError::damaged("a lease or a notice cannot be written", error))
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
