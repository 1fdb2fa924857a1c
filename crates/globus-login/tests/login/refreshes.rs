//! Refreshes that meet a login, a logout, or each other.

use std::sync::Arc;

use async_trait::async_trait;
use globus_login::{
    Change, JsonFileStore, MemoryStore, StoreError, StoreLock, TokenStore, Tokens, Work,
};

use crate::support::endpoint::*;

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
pub(crate) fn stores(home: &tempfile::TempDir) -> [Arc<dyn TokenStore>; 2] {
    [
        Arc::new(MemoryStore::new()),
        Arc::new(JsonFileStore::new(home.path().join("tokens.json"))),
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
                keep(&store, stored(TRANSFER_SERVER, "old", false)).await;

                let refreshing = app.clone();
                let refresh = tokio::spawn(async move { sent(&refreshing).await });
                asked.raised(1).await;
                let expected = if is_login {
                    app.login_again().await.expect("a login");
                    &login[..]
                } else {
                    assert!(app.logout().await.expect("told"));
                    &[]
                };
                released.raise();
                let found = refresh.await.expect("no panic");

                assert_eq!(kept(&store).await, expected);
                let access = is_login.then(|| "login".to_owned());
                assert_eq!((&found, sent(&app).await), (&access, access.clone()));
            }
        }
    }
}

/// Tells when an app asks for its turn to refresh.
struct Watched {
    file: JsonFileStore,
    turns: Signal,
}

#[async_trait]
impl TokenStore for Watched {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        self.file.load(namespace).await
    }

    async fn update(&self, namespace: &str, change: Change) -> Result<(), StoreError> {
        self.file.update(namespace, change).await
    }

    async fn lock(&self, namespace: &str, work: Work) -> Result<Box<dyn StoreLock>, StoreError> {
        if work == Work::Renewal {
            self.turns.raise();
        }
        self.file.lock(namespace, work).await
    }
}

#[checks::test]
async fn programs_with_one_file_refresh_once() {
    const PROGRAMS: u32 = 8;
    let home = tempfile::tempdir().expect("a directory");
    let file = || JsonFileStore::new(home.path().join("tokens.json"));
    // Each program, having found that its token has run out, asks for its turn; or, without taking
    // turns, for a token. Nobody is given one before all of them have.
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
        let store = Watched {
            file: file(),
            turns: turns.clone(),
        };
        let app = endpoint.app().store(store).build().expect("an app");
        programs.spawn(async move { sent(&app).await });
    }
    for access in programs.join_all().await {
        assert_eq!(access.as_deref(), Some("refreshed"));
    }
    assert_eq!(endpoint.grants("refresh_token"), 1);
}
