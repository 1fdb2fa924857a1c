//! `begin_login` and `finish_login`: a login that begins in one request and ends in another.

use std::sync::Arc;
use std::time::Duration;

use fake_globus::{FakeGlobus, Person};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Credential, CredentialRequest, Principal, Reauthenticator, Target, Why};
use globus_login::{GlobusApp, MemoryStore};

use crate::support::doubles::{Call, Hooked};
use crate::support::endpoint::Signal;
use crate::support::*;

fn service(globus: &FakeGlobus) -> GlobusApp {
    let app = app(globus, &Browser::closed()).scopes_may_be_required(|_, _| true);
    app.build().expect("an app")
}

#[checks::test]
async fn each_user_gets_the_credential_of_their_own_login() {
    let globus = globus(Person::automatic()).await;
    let app = service(&globus);
    let (ada, bob) = (
        Principal::Named("ada".into()),
        Principal::Named("bob".into()),
    );
    let transfer = |identity: &Principal| {
        let origin = globus.transfer_url().parse().expect("an origin");
        Target::new(origin, identity.clone())
    };
    let newer = async |identity: &Principal, rejected: Option<&Credential>| {
        let why = Why::Required(Arc::new(Gare::new(
            "AuthorizationRequired",
            Default::default(),
        )));
        let mut request = CredentialRequest::new(transfer(identity), why);
        if let Some(rejected) = rejected {
            request = request.with_rejected(rejected.clone());
        }
        app.credential(&request).await.expect("no error")
    };
    assert!(newer(&ada, None).await.is_none());
    let consent = consent("urn:globus:auth:scope:groups.api.globus.org:all");
    let challenge = challenge(&globus, consent);
    let pending = app.begin_login(&ada, Some(&challenge)).await;
    let pending = pending.expect("a login");
    assert_eq!(pending.principal(), &ada);
    assert_eq!(
        format!("{pending:?}"),
        r#"PendingLogin { identity: Named("ada"), .. }"#
    );
    let redirect = sent_to(pending.authorize_url()).await;
    assert!(pending.is_answered_by(&redirect));
    let other = app.begin_login(&ada, None).await.expect("a login");
    assert!(!other.is_answered_by(&redirect));
    let error = app.finish_login(other, redirect.clone()).await;
    let error = error.expect_err("of another login");
    assert!(error.to_string().contains("does not belong"), "{error}");
    assert!(newer(&ada, None).await.is_none());

    app.finish_login(pending, redirect).await.expect("a login");
    let logged_in = async |identity: &Principal| {
        let logged_in = app.for_user(identity).is_logged_in().await;
        logged_in.expect("no error")
    };
    assert!(
        logged_in(&ada).await && !logged_in(&bob).await && !logged_in(&Principal::Session).await
    );
    let credential = newer(&ada, None).await.expect("a credential");
    // There was no later login.
    assert!(newer(&ada, Some(&credential)).await.is_none() && newer(&bob, None).await.is_none());
    let held = held(&app, &transfer(&ada)).await.expect("a credential");
    assert_eq!(held.header_value(), credential.header_value());
    let again = app.begin_login(&ada, None).await.expect("a login");
    let scopes = value(again.authorize_url(), "scope");
    assert!(scopes.contains("groups.api.globus.org:all"), "{scopes}");
    assert_no_violation(&globus);
}

/// The code is redeemed by then, and cannot be redeemed again.
#[checks::test]
async fn dropped_finish_login_still_stores_the_tokens() {
    let globus = globus(Person::automatic()).await;
    let (came, gate) = (Signal::new(), Signal::new());
    let store = {
        let (came, gate) = (came.clone(), gate.clone());
        Hooked::new(MemoryStore::new(), move |call| {
            let (came, gate) = (came.clone(), gate.clone());
            async move {
                if call == Call::Commit {
                    came.raise();
                    gate.raised(1).await;
                }
            }
        })
    };
    let app = app(&globus, &Browser::closed()).store(store);
    let app = app.build().expect("an app");
    let ada = Principal::Named("ada".into());
    let pending = app.begin_login(&ada, None).await.expect("a login");
    let redirect = sent_to(pending.authorize_url()).await;
    tokio::select! {
        _ = app.finish_login(pending, redirect) => panic!("the commit waits"),
        () = came.raised(1) => {}
    }
    gate.raise();
    let user = app.for_user(&ada);
    let logged_in = async {
        while !user.is_logged_in().await.expect("no error") {
            tokio::task::yield_now().await;
        }
    };
    let logged_in = tokio::time::timeout(Duration::from_secs(10), logged_in).await;
    logged_in.expect("the tokens are stored");
    assert_no_violation(&globus);
}

#[checks::test]
async fn declined_pending_login_changes_nothing() {
    let globus = globus(Person::automatic().declines()).await;
    let app = service(&globus);
    let ada = Principal::Named("ada".into());
    let asked =
        AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
    let challenge = challenge(&globus, asked);
    let pending = app.begin_login(&ada, Some(&challenge)).await;
    let pending = pending.expect("a login");
    let redirect = sent_to(pending.authorize_url()).await;
    let error = app.finish_login(pending, redirect).await;
    assert!(error.expect_err("declined").is_declined());
    assert!(!app.for_user(&ada).is_logged_in().await.expect("no error"));
}

#[checks::test]
async fn credential_for_an_unknown_service_is_an_error() {
    let globus = globus(Person::automatic()).await;
    let user = service(&globus).for_user(&Principal::Session);
    let error = user.credential(&target("https://unknown.example")).await;
    let error = error.expect_err("no resource server");
    assert!(
        error.to_string().contains("https://unknown.example"),
        "{error}"
    );
}
