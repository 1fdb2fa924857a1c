//! Several processes of one program.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use checks::tokens::{edit, own, update};
use fake_globus::{FakeGlobus, Person};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Credential, Reauthenticator};
use globus_login::{
    GlobusApp, JsonStore, Login, LoginStore, MemoryStore, StoreError, Tokens, UserKey, Version,
    Versioned,
};
use serde_json::json;

use crate::support::*;

/// A store whose first reads return an old login, as if another process wrote after each of them.
#[derive(Debug)]
struct StaleReads {
    now: MemoryStore,
    before: Versioned,
    left: AtomicUsize,
}

#[async_trait]
impl LoginStore for StaleReads {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let count = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count)
        {
            Ok(_) => Ok(self.before.clone()),
            Err(_) => self.now.load(user).await,
        }
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        self.now.commit(user, base, login).await
    }
}

/// Another process of the same program, whose tokens have expired.
struct OtherProcess {
    globus: FakeGlobus,
    browser: Browser,
    app: GlobusApp,
    now: MemoryStore,
    before: Versioned,
}

impl OtherProcess {
    async fn new() -> Self {
        let globus = globus(Person::automatic()).await;
        let (browser, now) = (Browser::redirected(), MemoryStore::new());
        let app = logged_in(refreshing(&globus, &browser, &now)).await;
        expire(&globus);
        let before = now.load(&own(globus.client_id())).await;
        let before = before.expect("memory");
        Self {
            globus,
            browser,
            app,
            now,
            before,
        }
    }

    /// Replaces the tokens, and revokes the old ones.
    async fn log_in_again(&self) {
        self.globus.revoke_all_tokens();
        log_in_again(&self.app).await.expect("a login");
    }

    /// The credential that this process finds. Its first `reads` come before the write of the other
    /// process.
    async fn found(&self, reads: usize) -> Option<Credential> {
        let store = StaleReads {
            now: self.now.clone(),
            before: self.before.clone(),
            left: AtomicUsize::new(reads),
        };
        let app = app(&self.globus, &self.browser)
            .refresh_tokens(true)
            .store(store);
        let app = app.build().expect("an app");
        held(&app, &target(self.globus.transfer_url())).await
    }
}

#[checks::test]
async fn replaced_refresh_token_is_read_again() {
    let other = OtherProcess::new().await;
    other.log_in_again().await;
    let OtherProcess { globus, .. } = &other;
    let transfer = target(globus.transfer_url());
    let newer = held(&other.app, &transfer).await.expect("a credential");

    for reads in [1, 2, 3, 4] {
        let found = other.found(reads).await.expect("a credential");
        assert_eq!(
            found.header_value(),
            newer.header_value(),
            "{reads} reads too early"
        );
    }
    let logins = other.browser.logins();
    assert_eq!((logins, globus.counts().refresh_grants), (2, 0));
    assert_no_violation(globus);
}

/// Another process changes the token while this one waits for the lease.
#[checks::test]
async fn refresh_uses_the_token_that_another_process_stored() {
    let other = OtherProcess::new().await;
    let OtherProcess { globus, now, .. } = &other;

    // Another token, which has expired as well.
    other.log_in_again().await;
    expire(globus);
    assert!(other.found(1).await.is_some());
    assert_eq!(globus.counts().refresh_grants, 1);

    // A token that cannot be refreshed.
    let other_token =
        json!({"access_token": "other", "refresh_token": null, "expires_at_seconds": 1});
    let user = own(globus.client_id());
    edit(now, &user, other_token).await;
    assert!(other.found(1).await.is_none());

    // No token at all.
    update(now, &user, Tokens::clear).await;
    assert!(other.found(1).await.is_none());
    assert_eq!(globus.counts().refresh_grants, 1);
}

#[checks::test]
async fn processes_challenged_together_log_in_once() {
    let globus = globus(Person::automatic()).await;
    let home = tempfile::tempdir().expect("a directory");
    let browser = Browser::redirected();
    let process = || {
        let store = JsonStore::new(home.path().join("tokens.json"));
        app(&globus, &browser).store(store).build().expect("an app")
    };
    let transfer = target(globus.transfer_url());
    let processes: Vec<GlobusApp> = (0..6).map(|_| process()).collect();
    let at_once = async |work: &[AuthorizationParameters]| {
        let mut running = tokio::task::JoinSet::new();
        for (at, app) in processes.iter().enumerate() {
            let (app, asked) = (
                app.clone(),
                challenge(&globus, work[at % work.len()].clone()),
            );
            running.spawn(async move { app.reauthenticate(&asked).await.map(|_| ()) });
        }
        for done in running.join_all().await {
            done.expect("a credential");
        }
    };
    let mut first = tokio::task::JoinSet::new();
    for app in &processes {
        let app = app.clone();
        first.spawn(async move { app.login().await });
    }
    assert!(first.join_all().await.iter().all(Result::is_ok));
    assert_eq!(browser.logins(), 1);
    for app in &processes {
        held(app, &transfer).await.expect("a credential");
    }

    at_once(&[AuthorizationParameters::default()]).await;
    assert_eq!(browser.logins(), 2, "one login for all");
    // The next challenge is to the token of this login.
    at_once(&[AuthorizationParameters::default()]).await;
    assert_eq!(browser.logins(), 3);
    // A login for another requirement does not count.
    let domain =
        AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
    at_once(&[AuthorizationParameters::default(), domain]).await;
    assert!(browser.logins() >= 5, "{}", browser.logins());
    assert_no_violation(&globus);
}
