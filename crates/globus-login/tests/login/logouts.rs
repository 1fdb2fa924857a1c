//! Logouts with failures, and during another login.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use globus_login::MemoryStore;
use serde_json::json;

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
