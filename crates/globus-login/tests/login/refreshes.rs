//! Refreshes during a login, a logout, or another refresh.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use globus_gare::reauth::{CredentialRequest, Reauthenticator, Why};
use globus_login::{JsonStore, LoginStatus, LoginStore, MemoryStore, Work};
use http::header::RETRY_AFTER;

use crate::support::doubles::{Call, Gate, Hooked, Listening};
use crate::support::endpoint::*;
use crate::support::{bearer, held, log_in_again, target};

/// An endpoint that raises `asked` at a refresh, and answers when `released` is raised.
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
    // Each program finds its token expired, and asks for the lease (or, without leases, for a
    // token). No program gets a token before all of them have asked.
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
            // Counts each program once.
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

/// Globus Auth has rotated the refresh token by then.
#[checks::test]
async fn dropped_caller_does_not_lose_a_refreshed_token() {
    let given = answer(200, &refreshed(TRANSFER_SERVER, "refreshed"));
    let endpoint = Endpoint::always(given).await;
    let store = MemoryStore::new();
    keep(&store, stored(TRANSFER_SERVER, "old", false)).await;
    let gate = Gate::new();
    let hooked = Hooked::commits_behind(store, &gate);
    let app = endpoint.app().store(hooked).build().expect("an app");
    tokio::select! {
        _ = sent(&app) => panic!("the commit waits"),
        () = gate.reached() => {}
    }
    gate.open();
    assert_eq!(sent(&app).await.as_deref(), Some("refreshed"));
    assert_eq!(endpoint.grants("refresh_token"), 1);
}

#[checks::test]
async fn rejected_refresh_token_is_reported_once() {
    let endpoint = Endpoint::always(refused("invalid_grant", "it is revoked")).await;
    let store = MemoryStore::new();
    keep(&store, stored(TRANSFER_SERVER, "old", false)).await;
    let people = [Listening::new(), Listening::new()];
    let mut told = Vec::new();
    for person in &people {
        let app = endpoint.app().store(store.clone()).prompt(person.clone());
        let app = app.build().expect("an app");
        for _ in 0..2 {
            assert_eq!(sent(&app).await, None);
        }
        told.extend(person.told(0).await);
    }
    let [
        LoginStatus::NotRefreshable {
            resource_server, ..
        },
    ] = &told[..]
    else {
        panic!("told something else: {told:?}");
    };
    assert_eq!(resource_server, TRANSFER_SERVER);
    let words = told[0].to_string();
    assert!(words.contains("cannot be refreshed any more"), "{words}");
    // A rejected token is not redeemed again.
    assert_eq!(endpoint.grants("refresh_token"), 1);
}

#[checks::test]
async fn programs_rejected_together_report_once() {
    let asked = Signal::new();
    let both = asked.clone();
    let endpoint = Endpoint::start(move |_| {
        let both = both.clone();
        async move {
            both.raise();
            both.raised(2).await;
            refused("invalid_grant", "it is revoked")
        }
    })
    .await;
    let store = Hooked::without_leases(MemoryStore::new());
    keep(&store, stored(TRANSFER_SERVER, "old", false)).await;
    let people = [Listening::new(), Listening::new()];
    let apps = people.clone().map(|person| {
        let app = endpoint.app().store(store.clone()).prompt(person);
        app.build().expect("an app")
    });
    let [one, two] = &apps;
    assert_eq!(tokio::join!(sent(one), sent(two)), (None, None));
    assert_eq!(endpoint.grants("refresh_token"), 2);
    let [one, two] = &people;
    let told = [one.told(0).await, two.told(0).await].concat();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// A temporary error is not reported to the person.
#[checks::test]
async fn refresh_is_tried_again_after_retry_after() {
    for status in [429, 503] {
        let is_busy = Arc::new(AtomicBool::new(true));
        let busy = Arc::clone(&is_busy);
        let endpoint = Endpoint::start(move |_| {
            let mut given = answer(200, &refreshed(TRANSFER_SERVER, "refreshed"));
            if busy.load(SeqCst) {
                given = answer(status, &serde_json::json!({}));
                let wait = http::HeaderValue::from_static("120");
                given.headers_mut().insert(RETRY_AFTER, wait);
            }
            std::future::ready(given)
        })
        .await;
        let clock = Arc::new(Mutex::new(SystemTime::now()));
        let now = Arc::clone(&clock);
        let (store, person) = (MemoryStore::new(), Listening::new());
        keep(&store, stored(TRANSFER_SERVER, "old", false)).await;
        let app = endpoint.app().store(store.clone()).prompt(person.clone());
        let app = app.clock(move || *now.lock().expect("whole"));
        let app = app.build().expect("an app");
        let request = CredentialRequest::new(target(TRANSFER), Why::Initial);
        let advance = |seconds| *clock.lock().expect("whole") += Duration::from_secs(seconds);
        for asked in [1, 1] {
            let error = app
                .credential(&request)
                .await
                .expect_err("Globus Auth is busy");
            assert!(error.is_unavailable(), "{error:?}");
            assert_eq!(endpoint.grants("refresh_token"), asked);
        }
        is_busy.store(false, SeqCst);
        advance(119);
        app.credential(&request)
            .await
            .expect_err("Retry-After still runs");
        assert_eq!(endpoint.grants("refresh_token"), 1, "{status}");
        advance(2);
        let credential = held(&app, &target(TRANSFER)).await;
        assert_eq!(
            credential.as_ref().map(bearer).as_deref(),
            Some("refreshed")
        );
        assert_eq!(endpoint.grants("refresh_token"), 2);
        assert!(person.told(0).await.is_empty(), "nobody is told");
    }
}
