//! Logouts that meet trouble, or another login.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use checks::tokens::{own, put};
use globus_login::{Login, LoginStore, MemoryStore, StoreError, UserKey, Version, Versioned};
use serde_json::json;

use crate::support::endpoint::*;

#[checks::test]
async fn failed_revocation_stops_no_other_and_is_retried() {
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
    app.logout().await.expect_err("one is not revoked");
    let all = ["one", "one-refresh", "two", "two-refresh"];
    assert_eq!(endpoint.revoked(), all);
    assert_eq!(kept(&store).await, [], "they are used no more");

    fails.store(false, SeqCst);
    assert!(!app.logout().await.expect("all are revoked"));
    assert_eq!(
        endpoint.revoked()[4..],
        ["one"],
        "what was revoked is not revoked again"
    );
    app.logout().await.expect("nothing is left");
    assert_eq!(endpoint.revoked().len(), 5);
}

/// Another program logs in between the first load and the commit of a logout.
#[derive(Debug)]
struct Overtaken {
    store: MemoryStore,
    is_over: AtomicBool,
}

#[async_trait]
impl LoginStore for Overtaken {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        self.store.load(user).await
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        if !self.is_over.swap(true, SeqCst) {
            put(&self.store, user, stored(TRANSFER_SERVER, "late", true)).await;
        }
        self.store.commit(user, base, login).await
    }
}

#[checks::test]
async fn logout_revokes_what_came_while_it_ran() {
    let endpoint = Endpoint::approving().await;
    let store = Overtaken {
        store: MemoryStore::new(),
        is_over: AtomicBool::new(false),
    };
    let kept = store.store.clone();
    put(&kept, &own(CLIENT), stored(AUTH_SERVER, "early", true)).await;
    let app = endpoint.app().store(store).build().expect("an app");
    assert!(app.logout().await.expect("told"));
    let mut revoked = endpoint.revoked();
    revoked.sort();
    assert_eq!(revoked, ["early", "early-refresh", "late", "late-refresh"]);
    assert_eq!(crate::support::endpoint::kept(&kept).await, []);
}
