//! Reads of the store that end after a later change.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use globus_gare::reauth::{Principal, Reauthenticator};
use globus_login::{GlobusApp, MemoryStore, StoreError};

use crate::support::doubles::{Call, Gate, Hooked};
use crate::support::endpoint::*;

/// A store whose first load waits for `gate`. A full store takes no commits.
fn slow(store: &MemoryStore, gate: &Gate, is_full: bool) -> Hooked<MemoryStore> {
    let (gate, waits) = (gate.clone(), AtomicBool::new(true));
    Hooked::new(store.clone(), move |call| {
        let waits = call == Call::Load && waits.swap(false, SeqCst);
        let gate = gate.clone();
        async move {
            if waits {
                gate.pass().await;
            }
            match call {
                Call::Commit if is_full => Err(StoreError::unavailable("the disk is full", "full")),
                _ => Ok(()),
            }
        }
    })
}

/// Starts a read of the store, which waits for `gate`.
async fn begin_read(app: &GlobusApp, gate: &Gate) -> tokio::task::JoinHandle<()> {
    let reading = app.clone();
    let read = tokio::spawn(async move {
        reading.is_logged_in().await.expect("no error");
    });
    gate.reached().await;
    read
}

/// The stored refresh token is dead: the only living one is in memory.
#[checks::test]
async fn earlier_read_keeps_an_unstored_token() {
    let endpoint = Endpoint::start(|request| {
        let new = match request.field("refresh_token") {
            "old-refresh" => answer(200, &refreshed(TRANSFER_SERVER, "one")),
            _ => refused("invalid_grant", "no such token"),
        };
        std::future::ready(new)
    });
    let (endpoint, store, gate) = (endpoint.await, MemoryStore::new(), Gate::new());
    keep(&store, stored(TRANSFER_SERVER, "old", false)).await;
    let app = endpoint.app().store(slow(&store, &gate, true));
    let app = app.build().expect("an app");
    let read = begin_read(&app, &gate).await;
    assert_eq!(sent(&app).await.as_deref(), Some("one"));
    gate.open();
    read.await.expect("no panic");
    assert_eq!(sent(&app).await.as_deref(), Some("one"));
    assert_eq!(endpoint.grants("refresh_token"), 1);
}

#[checks::test]
async fn earlier_read_does_not_undo_a_logout() {
    let (endpoint, store, gate) = (Endpoint::approving().await, MemoryStore::new(), Gate::new());
    keep(&store, stored(TRANSFER_SERVER, "old", true)).await;
    let app = endpoint.app().store(slow(&store, &gate, false));
    let app = app.build().expect("an app");
    let revision = || app.revision(&Principal::Session);
    let read = begin_read(&app, &gate).await;
    assert!(app.is_logged_in().await.is_ok());
    let before = revision();
    assert!(app.logout().await.expect("told"));
    let after = revision();
    assert_ne!(before, after);
    gate.open();
    read.await.expect("no panic");
    assert_eq!(revision(), after);
}
