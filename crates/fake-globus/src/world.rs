//! The data that all handlers of a server share: its state, its log and its fixed settings.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::auth::id_token::SigningKey;
use super::clock::Clock;
use super::listen::HttpsServers;
use super::record::{Log, SeenRequest, Violation, ViolationKind};
use super::service::Service;
use super::state::{Served, State};
use super::timers::Timers;

pub(super) type Shared = Arc<World>;

/// The fixed settings of a running server, with its state and log behind locks.
///
/// The state is locked before the log, never the other way around.
#[derive(Debug)]
pub(super) struct World {
    /// The URL of Auth and Transfer, such as `http://127.0.0.1:PORT/`.
    pub(super) base: String,
    /// The names of all services, with their URLs.
    pub(super) urls: Vec<(&'static str, String)>,
    /// The host of the public URL, which requests may have besides addresses.
    pub(super) host: Option<String>,
    pub(super) https: HttpsServers,
    pub(super) clock: Clock,
    pub(super) key: SigningKey,
    /// The state that the server started with.
    pub(super) initial: OnceLock<State>,
    pub(super) state: Mutex<State>,
    pub(super) log: Mutex<Log>,
    /// Held while a task of Transfer is submitted and performed.
    pub(super) submitting: tokio::sync::Mutex<()>,
    /// Notified of each request that is recorded.
    pub(super) recorded: Notify,
}

impl World {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The URL of a service, with a slash at its end.
    pub(super) fn url(&self, service: &str) -> String {
        let found = self.urls.iter().find(|(name, _)| *name == service);
        found.map(|(_, url)| url.clone()).unwrap_or_default()
    }

    /// The environment variables that point the official SDKs to all services.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let variable = |name: &str| format!("GLOBUS_SDK_SERVICE_URL_{}", name.to_uppercase());
        let urls = self.urls.iter();
        // The JavaScript SDK has another name for Timers.
        let timers = self.urls.iter().filter(|(name, _)| *name == Timers::NAME);
        let timers = timers.map(|(_, url)| (variable("timers"), url.clone()));
        let urls = urls.map(|(name, url)| (variable(name), url.clone()));
        urls.chain(timers).collect()
    }

    pub(super) fn violation(&self, kind: ViolationKind, detail: impl Into<String>) {
        self.log().violation(Violation {
            kind,
            detail: detail.into(),
        });
    }

    /// Waits until at least `requests` requests in the log are `wanted`.
    pub(super) async fn wait_for_requests(
        &self,
        requests: usize,
        wanted: impl Fn(&SeenRequest) -> bool,
    ) {
        loop {
            let mut recorded = pin!(self.recorded.notified());
            // Before the log is read, so that a request in between is not missed.
            recorded.as_mut().enable();
            let seen = self
                .log()
                .requests
                .iter()
                .filter(|seen| wanted(seen))
                .count();
            if seen >= requests {
                return;
            }
            recorded.await;
        }
    }

    pub(super) fn collection(&self, id: &str) -> Option<Arc<Served>> {
        self.state().collection(id.parse().ok()?).cloned()
    }
}
