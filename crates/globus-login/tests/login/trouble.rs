//! Failures of Globus Auth and of the store.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fake_globus::{FakeGlobus, Identity, Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, CredentialRequest, Principal, Reauthenticator, Target, Why};
use globus_login::{GlobusApp, MemoryStore, StoreError};
use serde_json::{Value, json};

use crate::secrets::{Kept, log_to};
use crate::support::doubles::{Call, Hooked, Listening};
use crate::support::endpoint::*;
use crate::support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An app that is logged in, and its store. The tokens last two days.
async fn with_refresh_tokens(globus: &FakeGlobus) -> (GlobusApp, MemoryStore) {
    let store = MemoryStore::new();
    let app = logged_in(
        refreshing(globus, &Browser::redirected(), &store).scopes([TRANSFER_ALL, "openid profile"]),
    )
    .await;
    (app, store)
}

#[checks::test]
async fn account_is_none_or_an_error_when_userinfo_fails() {
    let globus = globus(Person::automatic()).await;
    let (app, _) = with_refresh_tokens(&globus).await;
    for status in [401, 403] {
        globus.fail_next(RequestKind::UserInfo, status, "{}");
        assert_eq!(app.account().await.expect("no error"), None, "{status}");
    }
    for (status, body, says) in [
        (404, "s3cret", "status 404"),
        (500, "s3cret", "status 500"),
        (200, r#"{"name": "s3cret"}"#, "not the expected JSON"),
        (200, "s3cret", "not the expected JSON"),
    ] {
        globus.fail_next(RequestKind::UserInfo, status, body);
        let error = app.account().await.expect_err("trouble");
        assert_says(&error, says, &["s3cret"]);
    }
    assert!(app.account().await.expect("no error").is_some());
}

#[checks::test]
async fn failed_revocation_still_forgets_the_tokens() {
    let globus = globus(Person::automatic()).await;
    for (status, says) in [(503, "status 503"), (400, "status 400")] {
        let (app, store) = with_refresh_tokens(&globus).await;
        globus.fail_next(RequestKind::Revoke, status, "s3cret");
        let error = app.logout().await.expect_err("nobody heard");
        assert_says(&error, says, &["s3cret"]);
        assert!(load(&store, &globus).await.is_empty());
        assert!(!app.is_logged_in().await.expect("no error"));
        assert!(!app.logout().await.expect("nothing to do"));
    }
}

#[checks::test]
async fn answer_beyond_the_limit_is_an_error() {
    let globus = globus(Person::automatic()).await;
    let (app, _) = with_refresh_tokens(&globus).await;
    globus.fail_next(RequestKind::Token, 200, " ".repeat(1024 * 1024 + 1));
    let error = log_in_again(&app).await.expect_err("far too much");
    assert_says(&error, "longer than", &[]);
}

/// Makes the next token request fail.
async fn fail_next_token(globus: &FakeGlobus, mut fault: Value) {
    fault["kind"] = "token".into();
    let url = format!("{}_fake/fail", globus.auth_url());
    let told = client().post(url).json(&fault).send().await;
    let status = told.expect("an answer").status();
    assert!(status.is_success(), "{status}");
}

#[checks::test]
async fn failing_token_endpoint_is_unavailable() {
    let refused = json!({"error": "invalid_client"}).to_string();
    let globus = globus(Person::automatic()).await;
    for (fault, says, is_unavailable) in [
        (json!({"status": 500, "body": "s3cret"}), "status 500", true),
        (json!({"status": 503, "body": "s3cret"}), "status 503", true),
        (json!({"status": 429, "retry_after": 1}), "status 429", true),
        (json!({"reset": true}), "got no answer", true),
        (json!({"status": 302}), "status 302", false),
        (
            json!({"status": 401, "body": refused}),
            "invalid_client",
            false,
        ),
        (
            json!({"status": 200, "body": "s3cret"}),
            "not a token response",
            false,
        ),
    ] {
        let (app, _) = with_refresh_tokens(&globus).await;
        fail_next_token(&globus, fault.clone()).await;
        let of_login = log_in_again(&app).await.expect_err("no token");
        let client = confidential(&globus).build().expect("an app");
        fail_next_token(&globus, fault).await;
        let of_client = client.login().await.expect_err("no token");
        for error in [of_login, of_client] {
            assert_says(&error, says, &["s3cret"]);
            assert_says(&error, "Globus Auth", &[]);
            assert_eq!(error.is_unavailable(), is_unavailable, "{says}");
        }
        // The earlier tokens are still there.
        assert!(app.is_logged_in().await.expect("no error"));
    }
}

#[checks::test]
async fn failed_refresh_uses_the_old_token_until_it_expires() {
    let globus = globus(Person::automatic()).await;
    let transfer = target(globus.transfer_url());
    // The token counts as expired, but is valid for 30 seconds more.
    let (app, _) = with_refresh_tokens(&globus).await;
    globus.clock().advance(2 * DAY - Duration::from_secs(30));
    globus.fail_next(RequestKind::Token, 503, "{}");
    let used = held(&app, &transfer).await.expect("the old one");
    assert_eq!(globus.counts().refresh_grants, 0);
    let refreshed = held(&app, &transfer).await.expect("a new one");
    assert_ne!(used.header_value(), refreshed.header_value());

    let (app, _) = with_refresh_tokens(&globus).await;
    expire(&globus);
    globus.fail_next(RequestKind::Token, 503, "{}");
    let error = app
        .credential(&CredentialRequest::new(transfer.clone(), Why::Initial))
        .await
        .expect_err("nothing is left");
    assert_says(&error, "503", &[]);
    assert!(error.is_unavailable(), "nobody need be asked");
    // The refresh token is still there when Globus Auth answers again.
    assert!(held(&app, &transfer).await.is_some());
}

#[checks::test]
async fn login_without_an_id_token_is_revoked() {
    let globus = globus(Person::automatic()).await;
    let store = MemoryStore::new();
    let app = app(&globus, &Browser::redirected()).store(store.clone());
    let app = app.build().expect("an app");
    let body = r#"{"access_token": "s3cret", "token_type": "Bearer", "expires_in": 60, "scope": "openid",
        "resource_server": "auth.globus.org"}"#;
    globus.fail_next(RequestKind::Token, 200, body);
    let error = app.login().await.expect_err("no ID token");
    assert_says(&error, "did not say who", &["s3cret"]);
    assert!(load(&store, &globus).await.is_empty());
    // The token was revoked.
    assert_eq!(requests_of(&globus, RequestKind::Revoke), 1);
}

#[checks::test]
async fn refreshed_token_keeps_fields_its_answer_omits() {
    let globus = globus(Person::automatic()).await;
    let (app, store) = with_refresh_tokens(&globus).await;
    let kept =
        async || checks::tokens::members(&load(&store, &globus).await["transfer.api.globus.org"]);
    let before = kept().await;
    let body = r#"{"access_token": "refreshed", "token_type": "Bearer", "expires_in": 172800,
        "resource_server": "transfer.api.globus.org"}"#;
    expire(&globus);
    globus.fail_next(RequestKind::Token, 200, body);
    held(&app, &target(globus.transfer_url())).await;
    let after = kept().await;
    assert_eq!(after["access_token"], "refreshed");
    for name in ["scope", "identity_id", "refresh_token", "resource_server"] {
        assert!(before[name].is_string(), "{name}");
        assert_eq!(after[name], before[name], "{name}");
    }
}

/// A store whose commits fail until it is emptied.
fn full() -> (Hooked<MemoryStore>, Arc<AtomicBool>) {
    let is_full = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&is_full);
    let store = Hooked::new(MemoryStore::new(), move |call| {
        let fails = call == Call::Commit && fails.load(SeqCst);
        let full = std::io::ErrorKind::StorageFull;
        let error = || StoreError::unavailable("the database takes nothing", full.to_string());
        std::future::ready(if fails { Err(error()) } else { Ok(()) })
    });
    (store, is_full)
}

#[checks::test]
async fn login_is_used_even_if_the_store_fails() {
    let globus = globus(Person::automatic()).await;
    let person = Listening::new();
    // A store and a prompt may be shared by `Arc`.
    let app = app(&globus, &person.browser)
        .refresh_tokens(true)
        .prompt(Arc::new(person.clone()))
        .store(Arc::new(full().0));
    let app = app.build().expect("an app");
    let log = Kept::default();
    let guards = log_to(&log);
    app.login().await.expect("a login");
    drop(guards);
    let logged = log.text();
    assert!(logged.contains("login could not be stored"), "{logged}");
    let transfer = target(globus.transfer_url());
    let first = held(&app, &transfer).await.expect("a credential");
    assert!(app.is_logged_in().await.expect("no error"));
    let told = person.told(1).await;
    let said = told[0].to_string();
    assert!(said.contains("the database takes nothing"), "{said}");

    // Refreshed tokens are used as well.
    expire(&globus);
    let refreshed = held(&app, &transfer).await.expect("a credential");
    assert_ne!(bearer(&first), bearer(&refreshed));
    let again = held(&app, &transfer).await.expect("a credential");
    assert_eq!(bearer(&refreshed), bearer(&again));
    assert_eq!(person.browser.logins(), 1);
    let error = app.logout().await.expect_err("nothing can be changed");
    assert_says(&error, "the database takes nothing", &[]);
}

/// The code can be redeemed only once.
#[checks::test]
async fn no_code_is_redeemed_while_the_store_is_down() {
    let endpoint = Endpoint::approving().await;
    let is_down = Arc::new(AtomicBool::new(false));
    let fails = Arc::clone(&is_down);
    let store = Hooked::new(MemoryStore::new(), move |call| {
        let fails = call == Call::Load && fails.load(SeqCst);
        let error = || StoreError::unavailable("the database is down", "no answer");
        std::future::ready(if fails { Err(error()) } else { Ok(()) })
    });
    let app = endpoint.app().store(store).build().expect("an app");
    let pending = app.begin_login(&Principal::Session, None).await;
    let pending = pending.expect("a login");
    let redirect = sent_to(pending.authorize_url()).await;
    is_down.store(true, SeqCst);
    let finished = app.finish_login(pending, redirect).await;
    let error = finished.expect_err("the store is down");
    assert_says(&error, "the database is down", &[]);
    assert!(endpoint.requests().is_empty(), "{:?}", endpoint.requests());
}

#[checks::test]
async fn owner_of_an_unstored_token_is_known() {
    let globus = FakeGlobus::builder()
        .identity(Identity::new("ada", "uchicago.edu"))
        .identity(Identity::new("bob", "anl.gov"))
        .person(Person::automatic());
    let globus = globus.start().await.expect("a server");
    let person = Listening::new();
    let app = app(&globus, &person.browser).prompt(person.clone());
    let app = logged_in(app.store(full().0)).await;
    let transfer = target(globus.transfer_url());
    let of_ada = held(&app, &transfer).await.expect("a credential");
    let target = Target::new(
        transfer.origin().clone(),
        Principal::Presented(of_ada.clone()),
    );
    let again = AuthorizationParameters::default().with_prompt("login");
    let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", again));
    for (name, is_refused) in [("bob@anl.gov", true), ("ada@uchicago.edu", false)] {
        globus.set_person(Person::automatic().picks(name));
        let answered = app.reauthenticate(&challenge).await;
        assert_eq!(answered.is_err(), is_refused, "{name}");
        if let Err(error) = answered {
            assert_says(&error, "token of another person", &[&bearer(&of_ada)]);
        }
    }
    // Bob's tokens are not kept, so the person is not told that they could not be stored.
    let told = person.told(2).await;
    globus.set_person(Person::automatic().picks("bob@anl.gov"));
    let again = AuthorizationParameters::default().with_prompt("login");
    app.login_with(again).await.expect_err("Ada is logged in");
    assert_eq!(person.told(2).await, told);
}

/// The refresh token was rotated while the store failed: the stored one is dead.
#[checks::test]
async fn unstored_refresh_is_stored_after_the_outage() {
    let endpoint = Endpoint::start(|request| {
        let new = match request.field("refresh_token") {
            "old-refresh" => answer(200, &refreshed(TRANSFER_SERVER, "one")),
            "one-refresh" => answer(200, &refreshed(TRANSFER_SERVER, "two")),
            _ => refused("invalid_grant", "no such token"),
        };
        std::future::ready(new)
    })
    .await;
    let ((store, is_full), clock) = (full(), Arc::new(Mutex::new(SystemTime::now())));
    keep(&store.store, stored(TRANSFER_SERVER, "old", false)).await;
    let now = Arc::clone(&clock);
    let app = endpoint.app().store(store.clone());
    let app = app.prompt(Listening::new());
    let app = app.clock(move || *now.lock().expect("whole"));
    let app = app.build().expect("an app");
    assert_eq!(sent(&app).await.as_deref(), Some("one"));
    assert_eq!(kept(&store.store).await[0].1, "old");

    is_full.store(false, SeqCst);
    *clock.lock().expect("whole") += 3 * DAY;
    assert_eq!(sent(&app).await.as_deref(), Some("two"));
    assert_eq!(kept(&store.store).await[0].1, "two");
    assert_eq!(endpoint.revoked(), [""; 0]);
}

#[checks::test]
async fn stored_login_replaces_an_older_unstored_one() {
    let logins = AtomicUsize::new(0);
    let endpoint = Endpoint::start(move |_| {
        let number = logins.fetch_add(1, SeqCst);
        std::future::ready(answer(200, &login(&format!("login-{number}"))))
    })
    .await;
    let (store, _) = full();
    let app = endpoint.app().prompt(Listening::new());
    let app = app.store(store.clone()).build().expect("an app");
    log_in_again(&app).await.expect("a login");
    assert_eq!(sent(&app).await.as_deref(), Some("login-0"));
    // Another program, which can write.
    let other = endpoint.app().store(store.store.clone()).build();
    let other = other.expect("an app");
    for _ in 0..2 {
        log_in_again(&other).await.expect("a login");
    }
    assert_eq!(sent(&app).await.as_deref(), Some("login-2"));
}

#[checks::test]
async fn confidential_app_revokes_its_tokens() {
    let globus = globus(Person::automatic()).await;
    let app = confidential(&globus).build().expect("an app");
    let transfer = target(globus.transfer_url());
    assert!(held(&app, &transfer).await.is_some());
    assert!(app.logout().await.expect("told"));
    assert!(!app.logout().await.expect("nothing to do"));
    assert_no_violation(&globus);
}
