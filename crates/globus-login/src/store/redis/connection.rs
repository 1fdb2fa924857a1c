//! The connection to Redis: connecting, messages, and the events and errors of an outage.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{ErrorKind, PushInfo, PushKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::super::login_store::jittered;
use super::super::{StoreError, Version};
use super::{RedisStore, Shared};

/// How long to wait before subscribing again after an error.
const RETRY: Duration = Duration::from_secs(1);

/// How long a connection is kept at least, after errors that only a new connection can help.
const MIN_AGE: Duration = Duration::from_secs(1);

/// A connection, and the task that subscribes to the messages over it.
pub(super) struct Connected {
    manager: ConnectionManager,
    since: Instant,
    listener: AbortHandle,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl RedisStore {
    /// The connection. It is made at the first use.
    pub(super) fn connection(&self) -> Result<ConnectionManager, StoreError> {
        let mut connected = self.0.connected();
        if let Some(connected) = &*connected {
            return Ok(connected.manager.clone());
        }
        let new = self.connect().map_err(|error| self.0.failed(error))?;
        Ok(connected.insert(new).manager.clone())
    }

    /// Makes a connection. Does not wait for Redis.
    fn connect(&self) -> RedisResult<Connected> {
        let timeout = self.0.settings.timeout;
        let store = Arc::downgrade(&self.0);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1)
            .set_max_delay(timeout)
            .set_push_sender(move |push: PushInfo| {
                heard(&store, &push);
                Ok::<_, redis::aio::SendError>(())
            })
            .set_automatic_resubscription();
        let manager = ConnectionManager::new_lazy_with_config(self.0.client.clone(), config)?;
        Ok(Connected {
            listener: spawn_listener(manager.clone(), &self.0),
            manager,
            since: Instant::now(),
        })
    }

    /// Converts the result of a call. Logs an event when Redis stops answering, and when it answers
    /// again.
    pub(super) fn answered<T>(&self, result: RedisResult<T>) -> Result<T, StoreError> {
        let error = match result {
            Ok(answer) => {
                self.0.set_up(true);
                return Ok(answer);
            }
            Err(error) => error,
        };
        self.0.set_up(!is_outage(&error));
        if needs_new_connection(&error) {
            self.replace_connection();
        }
        Err(self.0.failed(error))
    }

    /// The manager reconnects after I/O errors alone. It keeps a connection that was rejected when
    /// it was made, and one to a server that is no longer the primary.
    fn replace_connection(&self) {
        let mut connected = self.0.connected();
        let is_old = |connected: &Connected| connected.since.elapsed() >= MIN_AGE;
        if connected.as_ref().is_some_and(is_old) {
            // After an error, the next call tries again.
            *connected = self.connect().ok();
        }
    }
}

impl Shared {
    fn connected(&self) -> MutexGuard<'_, Option<Connected>> {
        let connected = self.connection.lock();
        connected.unwrap_or_else(PoisonError::into_inner)
    }

    fn set_up(&self, is_up: bool) {
        if self.is_down.swap(!is_up, Relaxed) == is_up {
            let redis = self.client.get_connection_info().addr().to_string();
            if is_up {
                tracing::info!(redis, "redis answers again");
            } else {
                tracing::warn!(redis, "redis does not answer");
            }
        }
    }

    fn failed(&self, error: RedisError) -> StoreError {
        let redis = self.client.get_connection_info().addr();
        let what = match error.code() {
            _ if is_outage(&error) => "does not answer".to_owned(),
            Some("WRONGPASS" | "NOAUTH") => {
                "rejects the login: check the user and the password in its URL".to_owned()
            }
            Some("MOVED" | "ASK") => {
                "is a node of a cluster, and other nodes have a part".to_owned()
            }
            Some(code) => format!("rejected a command ({code})"),
            None if error.kind() == ErrorKind::RESP3NotSupported => {
                "does not know HELLO 3: use Redis 6 or later".to_owned()
            }
            None => "gave an answer that cannot be read: check that its URL names a Redis server"
                .to_owned(),
        };
        StoreError::unavailable(format!("Redis at {redis} {what}"), error)
    }
}

fn spawn_listener(manager: ConnectionManager, store: &Arc<Shared>) -> AbortHandle {
    let channel = store.channel();
    tokio::spawn(listen(manager, channel, Arc::downgrade(store))).abort_handle()
}

/// Subscribes to the messages as soon as Redis answers.
async fn listen(mut manager: ConnectionManager, channel: String, store: Weak<Shared>) {
    loop {
        let subscribed = manager.subscribe(&channel).await;
        let Some(store) = store.upgrade().map(RedisStore) else {
            return;
        };
        // An error that needs a new connection ends this task: the new one has its own.
        if store.answered(subscribed).is_ok() {
            return;
        }
        drop(store);
        tokio::time::sleep(jittered(RETRY)).await;
    }
}

/// The content of a message: the login of a user was changed.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) tag: String,
    pub(super) revision: u64,
    pub(super) version: Version,
}

impl Change {
    pub(super) fn text(&self) -> String {
        let Self { tag, revision, .. } = self;
        format!("{tag} {revision} {}", self.version.as_str())
    }

    fn of_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        Some(Self {
            tag: parts.next()?.to_owned(),
            revision: parts.next()?.parse().ok()?,
            version: Version::new(parts.next()?),
        })
    }
}

/// Handles a message. The message holds all that is needed: nothing is read from Redis.
fn heard(store: &Weak<Shared>, push: &PushInfo) {
    let Some(shared) = store.upgrade() else {
        return;
    };
    match push.kind {
        PushKind::Message => shared.told(push.data.last()),
        // Reconnects now, and not at the next call: until then no logout would be heard.
        PushKind::Disconnection => {
            if let Some(connected) = &mut *shared.connected() {
                connected.listener.abort();
                connected.listener = spawn_listener(connected.manager.clone(), &shared);
            }
        }
        _ => {}
    }
}

impl Shared {
    fn told(&self, message: Option<&Value>) {
        let Some(Value::BulkString(text)) = message else {
            return;
        };
        let text = String::from_utf8_lossy(text);
        // A message of another program, or of a newer version. Programs that wait also poll.
        let Some(change) = Change::of_text(&text) else {
            return;
        };
        self.seen().note(&change.tag, change.revision);
        // An error means that there is no receiver at present.
        let _ = self.messages.send(change);
    }
}

/// Whether Redis cannot be reached, or cannot answer now.
fn is_outage(error: &RedisError) -> bool {
    let is_busy = matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::TryAgain
        )
    );
    is_busy || error.is_io_error() || error.is_timeout()
}

/// Whether the error may come from the making of the connection, or from a server that is no longer
/// the primary. The other errors of a server concern one command, or one key. After an I/O error the
/// manager itself reconnects.
fn needs_new_connection(error: &RedisError) -> bool {
    // `ERR`: too many clients.
    let is_of_the_connection = matches!(
        error.code(),
        Some("ERR" | "NOAUTH" | "READONLY" | "WRONGPASS")
    );
    is_of_the_connection || error.kind() == ErrorKind::RESP3NotSupported
}
