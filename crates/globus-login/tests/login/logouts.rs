//! Logouts with failures, and during another login.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use globus_login::{Login, LoginStore, MemoryStore, StoreError, UserKey, Version, Versioned};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::support::doubles::{Call, Hooked};
use crate::support::endpoint::*;

#[checks::test]
async fn failed_revocation_is_retried_at_the_next_logout() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let endpoint = Endpoint::start(move |request| {
        let is_first = request.field("token") == "one";
        let status = if is_first && failing.load(SeqCst) {
            503
        } else {
            200
        };
        std::future::ready(answer(status, &json!({})))
    })
    .await;
    let store = MemoryStore::new();
    for server in ["one", "two"] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = endpoint.app().store(store.clone()).build().expect("an app");
    app.logout().await.expect_err("a failed revocation");
    let all = ["one", "one-refresh", "two", "two-refresh"];
    assert_eq!(endpoint.revoked(), all);
    assert_eq!(kept(&store).await, [], "the tokens are forgotten");

    fails.store(false, SeqCst);
    assert!(!app.logout().await.expect("all are revoked"));
    assert_eq!(
        endpoint.revoked()[4..],
        ["one"],
        "no token is revoked twice"
    );
    app.logout().await.expect("nothing is left");
    assert_eq!(endpoint.revoked().len(), 5);
}

#[checks::test]
async fn failed_revocation_is_retried_at_the_next_login() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let endpoint = Endpoint::start(move |request| {
        let is_revocation = !request.field("token").is_empty();
        let is_down = is_revocation && failing.load(SeqCst);
        let status = if is_down { 503 } else { 200 };
        std::future::ready(answer(status, &login("given")))
    })
    .await;
    let store = MemoryStore::new();
    keep(&store, stored("one", "one", true)).await;
    let app = endpoint.app().store(store).build().expect("an app");
    app.logout().await.expect_err("a failed revocation");
    fails.store(false, SeqCst);
    app.login().await.expect("a login");
    assert_eq!(endpoint.revoked()[2..], ["one", "one-refresh"]);
    app.logout().await.expect("a logout");
    let revoked = endpoint.revoked();
    assert!(!revoked[4..].contains(&"one".to_owned()), "{revoked:?}");
}

#[checks::test]
async fn dropped_logout_revokes_all_tokens() {
    let (begun, may_end) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&may_end));
    let endpoint = Endpoint::start(move |_| {
        let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
        async move {
            begins.notify_one();
            let _turn = ends.acquire().await;
            answer(200, &json!({}))
        }
    })
    .await;
    let store = MemoryStore::new();
    for server in ["one", "two"] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = endpoint.app().store(store).build().expect("an app");
    tokio::select! {
        _ = app.logout() => panic!("no revocation has ended"),
        () = begun.notified() => {}
    }
    may_end.add_permits(1);
    while endpoint.revoked().len() < 4 {
        begun.notified().await;
    }
}

/// A store whose damaged login another program sets aside first.
#[derive(Debug, Default)]
struct Repaired(AtomicBool);

#[async_trait]
impl LoginStore for Repaired {
    async fn load(&self, _: &UserKey) -> Result<Versioned, StoreError> {
        match self.0.load(SeqCst) {
            true => Ok(Versioned::of(Login::default())),
            false => Err(StoreError::damaged("a login", "not JSON")),
        }
    }

    async fn commit(
        &self,
        _: &UserKey,
        _: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        Ok(Some(Version::of(login)))
    }

    async fn set_aside(&self, _: &UserKey) -> Result<Option<String>, StoreError> {
        self.0.store(true, SeqCst);
        Ok(None)
    }
}

#[checks::test]
async fn login_that_another_program_set_aside_can_be_used() {
    let endpoint = Endpoint::approving().await;
    let store = Repaired::default();
    let app = endpoint.app().store(store).build().expect("an app");
    assert!(!app.logout().await.expect("the login can be read"));
}

/// Another program logs in between the first load and the commit of a logout.
#[checks::test]
async fn logout_revokes_tokens_stored_while_it_runs() {
    let endpoint = Endpoint::approving().await;
    let store = MemoryStore::new();
    keep(&store, stored(AUTH_SERVER, "early", true)).await;
    let (other, is_over) = (store.clone(), Arc::new(AtomicBool::new(false)));
    let overtaken = Hooked::new(store.clone(), move |call| {
        let (other, is_over) = (other.clone(), Arc::clone(&is_over));
        async move {
            if call == Call::Commit && !is_over.swap(true, SeqCst) {
                keep(&other, stored(TRANSFER_SERVER, "late", true)).await;
            }
        }
    });
    let app = endpoint.app().store(overtaken).build().expect("an app");
    assert!(app.logout().await.expect("told"));
    let mut revoked = endpoint.revoked();
    revoked.sort();
    assert_eq!(revoked, ["early", "early-refresh", "late", "late-refresh"]);
    assert_eq!(kept(&store).await, []);
}
