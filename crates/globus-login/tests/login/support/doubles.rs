//! Stores and prompts that record their calls.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use globus_gare::reauth::ReauthError;
use globus_login::{
    Holder, Leased, Login, LoginPrompt, LoginReply, LoginRequest, LoginStatus, LoginStore,
    StoreError, UserKey, Version, Versioned, Work,
};

use super::Browser;
use super::endpoint::Signal;

/// A call of an app to its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Commit,
    Lease(Work),
}

/// The result of a hook: an error is that of the store.
pub(crate) trait Hook: Send {
    fn result(self) -> Result<(), StoreError>;
}

impl Hook for () {
    fn result(self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Hook for Result<(), StoreError> {
    fn result(self) -> Result<(), StoreError> {
        self
    }
}

type Hooks = dyn Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync;

/// Holds a call of a store until the test opens the gate. Clones share the gate.
#[derive(Clone)]
pub(crate) struct Gate {
    came: Signal,
    opened: Signal,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            came: Signal::new(),
            opened: Signal::new(),
        }
    }

    pub(crate) async fn pass(&self) {
        self.came.raise();
        self.opened.raised(1).await;
    }

    /// Waits for the call.
    pub(crate) async fn reached(&self) {
        self.came.raised(1).await;
    }

    pub(crate) fn open(&self) {
        self.opened.raise();
    }
}

/// A store with a hook that runs after each load and lease, and before each commit. Clones share
/// the store.
#[derive(Clone)]
pub(crate) struct Hooked<S> {
    pub(crate) store: S,
    hook: Arc<Hooks>,
    has_leases: bool,
}

impl<S> Hooked<S> {
    pub(crate) fn new<F>(store: S, hook: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: Hook> + Send + 'static,
    {
        let hook = Arc::new(move |call| {
            let hook = hook(call);
            Box::pin(async move { hook.await.result() }) as BoxFuture<'static, _>
        });
        Self {
            store,
            hook,
            has_leases: true,
        }
    }

    /// A store whose commits wait for `gate`.
    pub(crate) fn commits_behind(store: S, gate: &Gate) -> Self {
        let gate = gate.clone();
        Self::new(store, move |call| {
            let gate = gate.clone();
            async move {
                if call == Call::Commit {
                    gate.pass().await;
                }
            }
        })
    }

    /// A store without leases.
    pub(crate) fn without_leases(store: S) -> Self {
        Self {
            has_leases: false,
            ..Self::new(store, |_| std::future::ready(()))
        }
    }
}

#[async_trait]
impl<S: LoginStore> LoginStore for Hooked<S> {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let loaded = self.store.load(user).await;
        (self.hook)(Call::Load).await?;
        loaded
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        (self.hook)(Call::Commit).await?;
        self.store.commit(user, base, login).await
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        if !self.has_leases {
            return Ok(Leased::Held);
        }
        let leased = self.store.lease(user, work, holder, ttl).await;
        (self.hook)(Call::Lease(work)).await?;
        leased
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        self.store.release(user, work, holder).await
    }
}

impl<S> fmt::Debug for Hooked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooked")
    }
}

/// A browser prompt that records the statuses.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) browser: Browser,
    told: Arc<Mutex<Vec<LoginStatus>>>,
    news: Signal,
}

impl Listening {
    pub(crate) fn new() -> Self {
        Self {
            browser: Browser::redirected(),
            told: Arc::default(),
            news: Signal::new(),
        }
    }

    /// Waits for `at_least` statuses, and returns all so far.
    pub(crate) async fn told(&self, at_least: u32) -> Vec<LoginStatus> {
        self.news.raised(at_least).await;
        self.told.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl LoginPrompt for Listening {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        self.browser.ask(request).await
    }

    fn status(&self, status: &LoginStatus) {
        self.told.lock().expect("no panic").push(status.clone());
        self.news.raise();
    }
}
