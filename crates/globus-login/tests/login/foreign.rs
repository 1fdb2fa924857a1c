//! Logins by programs without records, such as those with the Python SDK.

use std::time::Duration;

use checks::tokens::{self, own};
use globus_gare::Session;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Credential, CredentialRequest, Reauthenticator, Why};
use globus_gare::reqwest::GareMiddleware;
use globus_login::{GlobusApp, MemoryStore};
use reqwest_middleware::ClientBuilder;

use crate::support::endpoint::*;
use crate::support::*;

#[checks::test]
async fn login_by_another_program_satisfies_a_challenge() {
    let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
    let globus = &sample.globus;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let app = logged_in(app(globus, &browser).store(store.clone())).await;
    let session = Session::builder(app).trust(sample.trust()).build();
    let client = ClientBuilder::new(checks::browser::client())
        .with(GareMiddleware::from_session(session))
        .build();
    let list = async || {
        let answer = client.get(sample.listing()).send().await;
        answer.expect("an answer").status().as_u16()
    };
    // Another program logs in, and writes only tokens into our store.
    let log_in_elsewhere = async || {
        let theirs = MemoryStore::new();
        let app = self::app(globus, &Browser::redirected()).store(theirs.clone());
        let fresh = AuthorizationParameters::default().with_prompt("login");
        let done = app.build().expect("an app").login_with(fresh).await;
        done.expect("a login");
        load(&theirs, globus).await
    };
    let write = async |tokens: globus_login::Tokens| {
        let key = own(globus.client_id());
        tokens::update(&store, &key, |kept| kept.clone_from(&tokens)).await;
    };
    assert_eq!(list().await, 200);

    globus.clock().advance(Duration::from_secs(120));
    write(log_in_elsewhere().await).await;
    assert_eq!(list().await, 200);
    assert_eq!(browser.logins(), 1, "the person has just logged in");

    // A login that is too old by now is tried, and does not count as one that did not help.
    let old = log_in_elsewhere().await;
    globus.clock().advance(Duration::from_secs(120));
    write(old).await;
    assert_eq!(list().await, 200);
    assert_eq!(browser.logins(), 2);
    assert_no_violation(globus);
}

/// Only programs without records have logged in: the store has tokens, but no record.
#[checks::test]
async fn logins_without_any_record_are_told_apart() {
    let store = MemoryStore::new();
    let write = async |access: &str| {
        let tokens = [AUTH_SERVER, TRANSFER_SERVER].map(|server| {
            let token = stored(server, &format!("{access}-{server}"), true);
            (server.to_owned(), token)
        });
        let tokens = globus_login::Tokens::from_iter(tokens);
        tokens::update(&store, &own(CLIENT), |kept| kept.clone_from(&tokens)).await;
    };
    let app = || {
        let app = GlobusApp::user(CLIENT).auth_url("http://127.0.0.1:1");
        let app = app.resource_server_for(TRANSFER, TRANSFER_SERVER);
        app.store(store.clone()).build().expect("an app")
    };
    let first = app();
    let newer_than = async |app: &GlobusApp, rejected: &Credential| {
        let why = Why::Required(Gare::new("AuthorizationRequired", Default::default()).into());
        let request = CredentialRequest::new(target(TRANSFER), why);
        let found = app
            .credential(&request.with_rejected(rejected.clone()))
            .await;
        found.expect("no error")
    };
    write("one").await;
    let mut rejected = held(&first, &target(TRANSFER)).await.expect("a token");
    assert!(newer_than(&first, &rejected).await.is_none());
    for access in ["two", "three", "four"] {
        write(access).await;
        // Another program with records sees one of the logins first.
        if access == "three" {
            held(&app(), &target(TRANSFER)).await.expect("a token");
        }
        let newer = newer_than(&first, &rejected).await.expect("a newer one");
        assert_eq!(bearer(&newer), format!("{access}-{TRANSFER_SERVER}"));
        rejected = newer;
        assert!(newer_than(&first, &rejected).await.is_none(), "{access}");
    }
}
