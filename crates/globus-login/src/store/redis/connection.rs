//! The connection to Redis: connecting, messages, and the events and errors of an outage.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{ErrorKind, PushInfo, PushKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::super::login_store::jittered;
use super::super::{StoreError, Version};
use super::{RedisStore, Shared};

impl RedisStore {
    pub(super) async fn connection(&self) -> Result<ConnectionManager, StoreError> {
        let connect = async || {
            let shared = Arc::downgrade(&self.0);
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(self.0.settings.timeout))
                .set_response_timeout(Some(self.0.settings.timeout))
                .set_number_of_retries(1)
                .set_max_delay(self.0.settings.timeout)
                .set_push_sender(move |push: PushInfo| {
                    heard(&shared, &push);
                    Ok::<_, redis::aio::SendError>(())
                })
                .set_automatic_resubscription();
            let manager = ConnectionManager::new_lazy_with_config(self.0.client.clone(), config)?;
            let pattern = format!("{}:*:changed", self.0.settings.prefix);
            tokio::spawn(listen(manager.clone(), pattern, Arc::downgrade(&self.0)));
            Ok(manager)
        };
        let connection = self.0.connection.get_or_try_init(connect).await;
        let connection = connection.map_err(|error: RedisError| self.0.failed(error))?;
        Ok(connection.clone())
    }
}

impl Shared {
    /// Converts the result of a call. Logs an event when Redis stops answering, and when it answers
    /// again.
    pub(super) fn answered<T>(&self, result: RedisResult<T>) -> Result<T, StoreError> {
        let is_down = match &result {
            Ok(_) => false,
            Err(error) => is_outage(error),
        };
        if self.is_down.swap(is_down, Relaxed) != is_down {
            let redis = self.client.get_connection_info().addr().to_string();
            if is_down {
                tracing::warn!(redis, "redis does not answer");
            } else {
                tracing::info!(redis, "redis answers again");
            }
        }
        result.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: RedisError) -> StoreError {
        let redis = self.client.get_connection_info().addr();
        if is_outage(&error) {
            return StoreError::unavailable(format!("Redis at {redis} does not answer"), error);
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed => StoreError::unavailable(
                format!("Redis at {redis} rejects the login: check the password in its URL"),
                error,
            ),
            ErrorKind::UnexpectedReturnType | ErrorKind::Parse => StoreError::damaged(
                format!("Redis at {redis} returned data that is not a login"),
                error,
            ),
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => {
                StoreError::unavailable(
                    format!("Redis at {redis} is a node of a cluster, and other nodes have a part"),
                    error,
                )
            }
            _ => StoreError::unavailable(format!("Redis at {redis} rejected a command"), error),
        }
    }
}

/// Subscribes to the messages as soon as Redis answers.
async fn listen(mut manager: ConnectionManager, pattern: String, store: Weak<Shared>) {
    while store.strong_count() > 0 && manager.psubscribe(&pattern).await.is_err() {
        tokio::time::sleep(jittered(Duration::from_secs(1))).await;
    }
}

/// What a message tells: the login of a user was changed.
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

/// Takes a message. All that it concerns here is in it: nothing is read for it.
fn heard(store: &Weak<Shared>, push: &PushInfo) {
    let (Some(shared), PushKind::PMessage) = (store.upgrade(), &push.kind) else {
        return;
    };
    let Some(Value::BulkString(text)) = push.data.last() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    // One of another program, or of a newer one: who waits polls.
    let Some(change) = Change::of_text(&text) else {
        return;
    };
    shared.seen().told(&change.tag, change.revision);
    // Nobody may listen.
    let _ = shared.messages.send(change);
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
    is_busy || error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error()
}
