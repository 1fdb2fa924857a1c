//! Refreshes that meet a login, a logout, or each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use globus_login::{JsonStore, LoginStore, MemoryStore, Work};

use crate::support::doubles::{Call, Hooked};
use crate::support::endpoint::*;
use crate::support::log_in_again;

/// An endpoint that answers a refresh when `released` is raised, and raises `asked` before.
async fn slow_refreshes(refreshed: Answer, asked: Signal, released: Signal) -> Endpoint {
    Endpoint::start(move |request| {
        let (refreshed, asked, released) = (refreshed.clone(), asked.clone(), released.clone());
        async move {
            if request.field("grant_type") == "refresh_token" {
                asked.raise();
                released.raised(1).await;
                return refreshed;
            }
            answer(200, &login("login"))
        }
    })
    .await
}

/// A store of each kind.
pub(crate) fn stores(home: &tempfile::TempDir) -> [Arc<dyn LoginStore>; 2] {
    [
        Arc::new(MemoryStore::new()),
        Arc::new(JsonStore::new(home.path().join("tokens.json"))),
    ]
}

#[checks::test]
async fn late_refresh_undoes_no_login_or_logout() {
    let login = [
        (AUTH_SERVER, "login-auth".to_owned()),
        (TRANSFER_SERVER, "login".to_owned()),
    ];
    let login = login.map(|(server, access)| (server.to_owned(), access));
    for refreshed in [
        answer(200, &refreshed(TRANSFER_SERVER, "refreshed")),
        refused("invalid_grant", "it was replaced"),
    ] {
        for is_login in [true, false] {
            let home = tempfile::tempdir().expect("a directory");
            for store in stores(&home) {
                let (asked, released) = (Signal::new(), Signal::new());
                let endpoint =
                    slow_refreshes(refreshed.clone(), asked.clone(), released.clone()).await;
                let app = endpoint.app().store(Arc::clone(&store)).build();
                let app = app.expect("an app");
                keep(&*store, stored(TRANSFER_SERVER, "old", false)).await;

                let refreshing = app.clone();
                let refresh = tokio::spawn(async move { sent(&refreshing).await });
                asked.raised(1).await;
                let expected = if is_login {
                    log_in_again(&app).await.expect("a login");
                    &login[..]
                } else {
                    assert!(app.logout().await.expect("told"));
                    &[]
                };
                released.raise();
                let found = refresh.await.expect("no panic");

                assert_eq!(kept(&*store).await, expected);
                let access = is_login.then(|| "login".to_owned());
                assert_eq!((&found, sent(&app).await), (&access, access.clone()));
            }
        }
    }
}

#[checks::test]
async fn programs_with_one_file_refresh_once() {
    const PROGRAMS: u32 = 8;
    let home = tempfile::tempdir().expect("a directory");
    let file = || JsonStore::new(home.path().join("tokens.json"));
    // Each program, having found that its token has expired, asks for the lease; or, without
    // leases, for a token. Nobody is given one before all of them have.
    let turns = Signal::new();
    let asked = turns.clone();
    let endpoint = Endpoint::start(move |_| {
        let asked = asked.clone();
        async move {
            asked.raise();
            asked.raised(PROGRAMS).await;
            answer(200, &refreshed(TRANSFER_SERVER, "refreshed"))
        }
    })
    .await;
    keep(&file(), stored(TRANSFER_SERVER, "old", false)).await;
    let mut programs = tokio::task::JoinSet::new();
    for _ in 0..PROGRAMS {
        let (turns, told) = (turns.clone(), AtomicBool::new(false));
        let store = Hooked::new(file(), move |call| {
            // Told once, however often it looks.
            if call == Call::Lease(Work::Refresh) && !told.swap(true, SeqCst) {
                turns.raise();
            }
            std::future::ready(())
        });
        let app = endpoint.app().store(store).build().expect("an app");
        programs.spawn(async move { sent(&app).await });
    }
    for access in programs.join_all().await {
        assert_eq!(access.as_deref(), Some("refreshed"));
    }
    assert_eq!(endpoint.grants("refresh_token"), 1);
}
