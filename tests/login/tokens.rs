//! Whose tokens they are, how they are renewed, and what processes do together.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::login::{
    Change, GlobusApp, JsonFileStore, MemoryStore, Scope, StoreError, TokenStore, Tokens,
};
use globus_gare::reauth::Reauthenticator;
use globus_gare::testing::{Collection, FakeGlobus, Identity, Person, RequestKind};

use crate::support::*;

#[tokio::test]
async fn somebody_else_who_logs_in_is_refused() {
    let globus = FakeGlobus::builder()
        .identity(Identity::new("ada", "uchicago.edu"))
        .identity(Identity::new("bob", "anl.gov"))
        .person(Person::automatic().picks("ada@uchicago.edu"));
    let globus = globus.start().await.expect("a server");
    let store = MemoryStore::new();
    let app = app(&globus, &Browser::redirected()).store(store.clone());
    let app = app
        .scopes([TRANSFER_ALL, "profile"])
        .build()
        .expect("an app");
    app.login().await.expect("a login");
    let transfer = target(globus.transfer_url());
    let before = app
        .credential(&transfer)
        .await
        .expect("no error")
        .expect("a credential");

    globus.set_person(Person::automatic().picks("bob@anl.gov"));
    let error = app.login_again().await.expect_err("somebody else");
    assert!(
        error.to_string().contains("somebody else logged in"),
        "{error}"
    );
    let after = app
        .credential(&transfer)
        .await
        .expect("no error")
        .expect("a credential");
    assert_eq!(before.header_value(), after.header_value());
    let revoked = |globus: &FakeGlobus| {
        let requests = globus.requests();
        requests
            .iter()
            .filter(|request| request.kind == RequestKind::Revoke && request.status == 200)
            .count()
    };
    // Nobody needs the tokens of the other one.
    assert_eq!(revoked(&globus), 2);

    assert!(app.logout().await.expect("told"));
    assert_eq!(revoked(&globus), 4);
    assert!(!app.logout().await.expect("nothing to tell"));
    assert!(app.account().await.expect("no error").is_none());
    app.login().await.expect("a login");
    let account = app.account().await.expect("no error").expect("somebody");
    assert_eq!(account.username.as_deref(), Some("bob@anl.gov"));
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
}

#[tokio::test]
async fn an_app_logs_in_once_and_again_for_what_it_needs_more() {
    let globus = globus(Person::automatic()).await;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let with = |scopes: &[&str]| {
        let app = app(&globus, &browser)
            .store(store.clone())
            .scopes(scopes.iter().copied());
        app.build().expect("an app")
    };
    for (scopes, logins) in [
        (&[TRANSFER_ALL][..], 1),
        (&[TRANSFER_ALL], 1),
        (&[TRANSFER_ALL, "email"], 2),
        (&["openid"], 2),
        (&["email", TRANSFER_ALL], 2),
    ] {
        let app = with(scopes);
        app.login().await.expect("a login");
        assert!(app.is_logged_in().await.expect("no error"));
        assert_eq!(browser.queries().len(), logins, "{scopes:?}");
    }
    // What was granted before is asked for again: the new tokens replace the old ones.
    with(&["profile"]).login().await.expect("a login");
    let query = &browser.queries()[2];
    let scope = query
        .iter()
        .find(|(name, _)| name == "scope")
        .expect("scopes");
    assert_eq!(scope.1, format!("profile openid email {TRANSFER_ALL}"));
}

#[tokio::test]
async fn a_mapped_collection_asks_nothing_of_who_asked_for_it_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let collection = Collection::new("Mapped", directory.path()).data_access();
    let id = collection.id();
    let globus = FakeGlobus::builder()
        .collection(collection)
        .person(Person::automatic());
    let globus = globus.start().await.expect("a server");
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    for (scopes, status) in [
        (Scope::transfer_all(), 403),
        (Scope::transfer_data_access(id), 200),
    ] {
        let app = app(&globus, &Browser::redirected())
            .scopes([scopes.to_string()])
            .build()
            .expect("an app");
        app.login().await.expect("a login");
        let credential = app
            .credential(&target(globus.transfer_url()))
            .await
            .expect("no error");
        let url = format!("{}v0.10/operation/endpoint/{id}/ls", globus.transfer_url());
        let request = client
            .get(url)
            .header("authorization", credential.expect("one").header_value());
        assert_eq!(
            request.send().await.expect("an answer").status().as_u16(),
            status,
            "{scopes}"
        );
    }
}

/// Tells what was there before, for a while: as if another process wrote in between.
struct Behind {
    now: MemoryStore,
    before: Tokens,
    left: AtomicUsize,
}

#[async_trait]
impl TokenStore for Behind {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        let count = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count)
        {
            Ok(_) => Ok(self.before.clone()),
            Err(_) => self.now.load(namespace).await,
        }
    }

    async fn update(&self, namespace: &str, change: Change) -> Result<(), StoreError> {
        self.now.update(namespace, change).await
    }
}

#[tokio::test]
async fn a_refresh_token_that_another_process_has_replaced_is_looked_up_again() {
    let globus = globus(Person::automatic()).await;
    let (browser, now) = (Browser::redirected(), MemoryStore::new());
    let app = |store: MemoryStore| app(&globus, &browser).refresh_tokens(true).store(store);
    let other = app(now.clone()).build().expect("an app");
    other.login().await.expect("a login");
    run_out(&now).await;
    let before = now.load("DEFAULT").await.expect("tokens");
    globus.revoke_all_tokens();
    other.login_again().await.expect("a login");
    let transfer = target(globus.transfer_url());
    let newer = other
        .credential(&transfer)
        .await
        .expect("no error")
        .expect("a credential");

    for reads in [1, 2, 3] {
        let behind = Behind {
            now: now.clone(),
            before: before.clone(),
            left: AtomicUsize::new(reads),
        };
        let ours = app(now.clone()).store(behind).build().expect("an app");
        let found = ours
            .credential(&transfer)
            .await
            .expect("no error")
            .expect("a credential");
        assert_eq!(
            found.header_value(),
            newer.header_value(),
            "{reads} reads too early"
        );
    }
    assert_eq!(
        (browser.queries().len(), globus.counts().refresh_grants),
        (2, 0)
    );
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
}

/// While we wait for our turn to renew, another process changes what we would renew.
#[tokio::test]
async fn what_another_process_leaves_is_renewed_in_the_place_of_what_was_there() {
    let globus = globus(Person::automatic()).await;
    let (browser, now) = (Browser::redirected(), MemoryStore::new());
    let app = |store: MemoryStore| app(&globus, &browser).refresh_tokens(true).store(store);
    let other = app(now.clone()).build().expect("an app");
    other.login().await.expect("a login");
    run_out(&now).await;
    let before = now.load("DEFAULT").await.expect("tokens");
    let transfer = target(globus.transfer_url());
    let found = async || {
        let behind = Behind {
            now: now.clone(),
            before: before.clone(),
            left: AtomicUsize::new(1),
        };
        let ours = app(now.clone()).store(behind).build().expect("an app");
        ours.credential(&transfer).await.expect("no error")
    };

    // Another token, which has run out as well.
    globus.revoke_all_tokens();
    other.login_again().await.expect("a login");
    run_out(&now).await;
    assert!(found().await.is_some());
    assert_eq!(globus.counts().refresh_grants, 1);

    // One that cannot be renewed.
    let unrenewable = |tokens: &mut Tokens| {
        for token in tokens.values_mut() {
            let mut kept = serde_json::to_value(&*token).expect("JSON");
            kept["refresh_token"].take();
            kept["access_token"] = "other".into();
            kept["expires_at_seconds"] = 1.into();
            *token = serde_json::from_value(kept).expect("a token");
        }
    };
    let change = now.update("DEFAULT", Box::new(unrenewable));
    change.await.expect("kept");
    assert!(found().await.is_none());

    // None at all.
    let change = now.update("DEFAULT", Box::new(Tokens::clear));
    change.await.expect("kept");
    assert!(found().await.is_none());
    assert_eq!(globus.counts().refresh_grants, 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_runs_out_and_once_between_all() {
    let globus = globus(Person::automatic()).await;
    let store = MemoryStore::new();
    let day = std::time::Duration::from_secs(24 * 3600);
    let app = |leeway| {
        let app = app(&globus, &Browser::redirected())
            .refresh_tokens(true)
            .store(store.clone());
        app.expiry_leeway(leeway).build().expect("an app")
    };
    let transfer = target(globus.transfer_url());
    app(day).login().await.expect("a login");
    app(day)
        .credential(&transfer)
        .await
        .expect("no error")
        .expect("a credential");
    assert_eq!(globus.counts().refresh_grants, 0);
    // It lives for two days: with three to spare, it has run out already.
    app(3 * day)
        .credential(&transfer)
        .await
        .expect("no error")
        .expect("a credential");
    assert_eq!(globus.counts().refresh_grants, 1);

    run_out(&store).await;
    let (one, two) = (app(day), app(day));
    let (first, second) = tokio::join!(one.credential(&transfer), two.credential(&transfer));
    let sent = |credential: Result<Option<globus_gare::reauth::Credential>, _>| {
        credential
            .expect("no error")
            .expect("a credential")
            .header_value()
            .clone()
    };
    assert_eq!(sent(first), sent(second));
    assert_eq!(globus.counts().refresh_grants, 2);
}

#[tokio::test]
async fn processes_that_are_refused_together_log_in_once() {
    let globus = globus(Person::automatic()).await;
    let home = tempfile::tempdir().expect("a directory");
    let browser = Browser::redirected();
    let process = || {
        let store = JsonFileStore::new(home.path().join("tokens.json"));
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
    assert_eq!(browser.queries().len(), 1);
    for app in &processes {
        app.credential(&transfer)
            .await
            .expect("no error")
            .expect("a credential");
    }

    at_once(&[AuthorizationParameters::default()]).await;
    assert_eq!(
        browser.queries().len(),
        2,
        "one login for what all were asked"
    );
    // The next refusal is of the token that this login gave.
    at_once(&[AuthorizationParameters::default()]).await;
    assert_eq!(browser.queries().len(), 3);
    // What another one was asked is no answer to what we are.
    let domain =
        AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
    at_once(&[AuthorizationParameters::default(), domain]).await;
    assert!(browser.queries().len() >= 5, "{}", browser.queries().len());
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
}

#[tokio::test]
async fn a_client_logs_in_as_itself_and_asks_nobody() {
    let globus = globus(Person::browser()).await;
    let store = MemoryStore::new();
    let app = GlobusApp::confidential(
        globus.confidential_client_id().to_string(),
        globus.client_secret(),
    )
    .auth_url(globus.auth_url())
    .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
    .store(store.clone())
    .build()
    .expect("an app");
    let transfer = target(globus.transfer_url());
    let credential = async || {
        app.credential(&transfer)
            .await
            .expect("no error")
            .expect("a credential")
    };
    let first = credential().await;
    assert_eq!(first.header_value(), credential().await.header_value());
    run_out(&store).await;
    assert_ne!(first.header_value(), credential().await.header_value());
    let scope = Scope::transfer_data_access("6c54cade-bde5-45c1-bdea-f4bd71dba2cc").to_string();
    app.reauthenticate(&challenge(&globus, consent(&scope)))
        .await
        .expect("a credential");
    assert_eq!(globus.counts().client_grants, 3);
    assert_eq!(
        globus
            .requests()
            .iter()
            .filter(|request| request.kind == RequestKind::Authorize)
            .count(),
        0
    );
    assert!(!format!("{app:?}").contains(globus.client_secret()));

    let wrong = GlobusApp::confidential(globus.confidential_client_id().to_string(), "wr0ng")
        .auth_url(globus.auth_url());
    let error = wrong
        .build()
        .expect("an app")
        .login()
        .await
        .expect_err("another secret");
    assert!(
        !told(&error).contains("wr0ng") && told(&error).contains("invalid_client"),
        "{}",
        told(&error)
    );
}
