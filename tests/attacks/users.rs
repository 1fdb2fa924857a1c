//! Another user of the same program.

use std::sync::Arc;

use checks::browser::Browser;
use checks::mock::{self, Login, MFA, answer, authorization, outcome, presenting, with};
use checks::sample::TRANSFER_ALL;
use checks::tokens;
use fake_globus::{EXPECT_USER, Identity, Person, Policy, RequestKind, ViolationKind};
use futures_util::future::join_all;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Credential, GareOptions, GaveUp, Principal, ReauthError, Session, Target, Trust, reauth_fn,
};
use globus_gare::reqwest::HttpService;
use globus_login::MemoryStore;
use http::Request;
use http_body_util::Full;
use std::time::Duration;
use tower::Layer;

use crate::support::*;

#[checks::test]
async fn request_never_carries_the_token_of_another() {
    let sample = globus(|collection| collection.session_minutes(10)).await;
    let ada = sample.ada.clone();
    let sample = Arc::new(sample);
    let globus = &sample.globus;
    let mallory = Identity::new("mallory", "evil.example");
    let give = {
        let sample = Arc::clone(&sample);
        move |target: &Target| {
            let identity = match target.principal() {
                Principal::Named(name) if **name == *"ada" => &ada,
                Principal::Named(_) => &mallory,
                _ => return Err(ReauthError::new("whose is it?")),
            };
            let token = sample.globus.issue_token(identity, TRANSFER_ALL);
            let token = token.map_err(|error| ReauthError::new("no token").with_source(error))?;
            Ok(Credential::bearer(token)?)
        }
    };
    let looks = give.clone();
    let login = reauth_fn(move |challenge| std::future::ready(give(challenge.target())))
        .with_credential(move |request| std::future::ready(looks(request.target()).map(Some)));
    let trust = Trust::none()
        .origin(globus.transfer_url())
        .expect("an origin");
    let session = Session::builder(login).trust(trust).build();
    let http = HttpService::from_builder(reqwest::Client::builder().no_proxy());
    let client = GareLayer::from_session(session).layer(http.expect("a client"));
    let url = format!(
        "{}v0.10/operation/endpoint/{}/ls",
        globus.transfer_url(),
        sample.collection
    );
    for round in 0..5 {
        // All sessions are too old, so all requests are challenged together.
        globus.clock().advance(Duration::from_secs(3600));
        let requests = (0..20).map(|number| {
            let (name, user) = match number % 2 {
                0 => ("ada", "ada@uchicago.edu"),
                _ => ("mallory", MALLORY),
            };
            let request = Request::get(&url).header(EXPECT_USER, user);
            // Mallory tries tokens that were never issued.
            let is_forged = number % 6 == 3;
            let request = match is_forged {
                true => request.header("authorization", format!("Bearer ada{round}")),
                false => request,
            };
            let request = request.extension(GareOptions::new().principal(name));
            let client = client.clone();
            let request = request.body(Full::default()).expect("a request");
            async move { (send(&client, request).await.0, is_forged) }
        });
        for (status, is_forged) in join_all(requests).await {
            assert!(
                status == 200 || is_forged && status == 401,
                "{status} in round {round}"
            );
        }
    }
    let violations = globus.violations();
    let wrong = violations
        .iter()
        .find(|it| it.kind == ViolationKind::WrongUser);
    assert!(wrong.is_none(), "{wrong:?}");
}

#[checks::test]
async fn flood_of_principals_evicts_no_active_user() {
    let victim = Victim::new(Trust::globus(), |request| match authorization(request) {
        "Bearer at-hand" | "" => answer(403, MFA),
        token if token.starts_with("Bearer token-") => answer(200, ""),
        _ => answer(403, MFA),
    });
    let ada = || with(mock::get("/"), GareOptions::new().principal("ada"));
    assert_eq!(mock::send(&victim.client, ada()).await.status(), 200);
    for number in 0..1_500 {
        let named = with(
            mock::get("/"),
            GareOptions::new().principal(format!("mallory-{number}")),
        );
        let presented = presenting(mock::get("/"), &format!("Bearer mallory-{number}"));
        for request in [named, presented] {
            mock::send(&victim.client, request).await;
        }
        if number % 100 == 0 {
            mock::send(&victim.client, ada()).await;
        }
    }
    let principals = victim.client.session().stats().principals;
    assert!(principals <= 1_100, "{principals}");
    let logins = victim.login.logins();
    let response = mock::send(&victim.client, ada()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(victim.login.logins(), logins, "Ada is still logged in");
}

#[checks::test]
async fn old_token_is_not_replaced_if_that_is_off() {
    let login = Login::at_once();
    let session = Session::builder(login.clone())
        .supersede_presented(false)
        .build();
    let victim = Victim::of(login, session, |request| match authorization(request) {
        "Bearer token-1" => answer(200, "what is Ada's"),
        _ => answer(403, MFA),
    });
    // Ada's own request logs her in. Then Mallory presents her earlier token.
    for _ in 0..3 {
        let response = mock::send(&victim.client, presenting(mock::get("/"), "Bearer old")).await;
        assert_eq!(response.status(), 403);
    }
    let sent = victim.leaked();
    assert!(
        sent.iter().all(|(_, token)| token == "Bearer old"),
        "{sent:?}"
    );
}

#[checks::test]
async fn presented_token_is_not_replaced_by_another_persons() {
    let sample = globus(|collection| collection.policy(Policy::new("MFA").mfa())).await;
    let store = MemoryStore::new();
    let app = app(&sample.globus, &Browser::redirected()).store(store.clone());
    let app = logged_in(app).await;
    let kept = tokens::load(&store, &tokens::own(sample.globus.client_id())).await;
    let token = tokens::members(&kept["transfer.api.globus.org"])["access_token"].clone();
    let token = format!("Bearer {}", token.as_str().expect("a token"));
    sample.globus.set_person(Person::automatic().picks(MALLORY));
    sample.globus.forget_browser();
    let client = client(&app, sample.trust());
    let request = Request::get(sample.listing()).header("authorization", token);
    let request = request.body(Full::default()).expect("a request");
    let (status, text, gave_up) = send(&client, request).await;
    assert_eq!((status, gave_up), (403, Some("failed")), "{text}");
    let seen = sample.globus.requests();
    let listings = seen.iter().filter(|seen| seen.kind == RequestKind::List);
    let users: Vec<_> = listings.filter_map(|seen| seen.user.as_deref()).collect();
    assert_eq!(users, ["ada@uchicago.edu"], "nothing was sent as Mallory");
    assert!(
        seen.iter().any(|seen| seen.kind == RequestKind::Revoke),
        "{seen:#?}"
    );
}

#[checks::test]
async fn credential_of_another_kind_is_not_replaced() {
    for presented in [
        "Basic YWRhOnNlY3JldA==",
        "Bearer",
        "Negotiate x",
        "bearer\ttoken",
        "token",
    ] {
        let victim = Victim::new(Trust::globus(), |_| answer(403, MFA));
        let request = presenting(mock::get("/"), presented);
        let response = mock::send(&victim.client, request).await;
        let gave_up = outcome(&response).gave_up();
        assert!(
            matches!(gave_up, Some(GaveUp::NotBearer)),
            "{presented}: {gave_up:?}"
        );
        let host = "transfer.api.globus.org".to_owned();
        assert_eq!(victim.leaked(), [(host, presented.to_owned())]);
        assert_eq!(victim.login.logins(), 0, "{presented}");
    }
}
