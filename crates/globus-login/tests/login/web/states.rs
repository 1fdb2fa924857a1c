//! The `state` of a login, and the cookies that a callback needs.

use std::sync::Arc;

use axum::Router;
use globus_login::Sealer;
use http::{Method, Request, StatusCode};

use super::service::*;
use crate::support::doubles::{Gate, Hooked};
use crate::support::*;

/// A login under way: its browser, and the path of its callback.
async fn on_its_way(service: &Service) -> (Visitor, String) {
    let ada = Visitor::default();
    let page = ada.sent_to(&service.replica(), "/who").await;
    (ada, service.approve(ADA, &page).await)
}

/// Logs in, lets the session expire, and approves a step-up. Returns the path of its callback.
async fn step_up(service: &Service, replica: &Router, ada: &Visitor) -> String {
    ada.log_in(service, replica, ADA).await;
    service.minutes_pass(2);
    let page = ada.sent_to(replica, "/ls").await;
    service.approve(ADA, &page).await
}

/// Asserts that a callback has this status, redeems no code, and logs nobody in.
async fn assert_no_login(
    service: &Service,
    (replica, browser): (&Router, &Visitor),
    callback: &str,
    status: StatusCode,
) {
    let grants = service.code_grants();
    assert_eq!(browser.open(replica, callback).await.status, status);
    let page = browser.open(replica, "/who").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(service.code_grants(), grants);
}

fn state_of(callback: &str) -> String {
    let url = format!("{SITE}{callback}").parse().expect("a URL");
    value(&url, "state")
}

#[checks::test]
async fn state_of_another_browser_is_rejected() {
    let service = Service::new().await;
    let replica = service.replica();
    let (ada, callback) = on_its_way(&service).await;
    let bob = Visitor::default();
    // Without a login of its own under way, and with one.
    for status in [StatusCode::FORBIDDEN; 2] {
        assert_no_login(&service, (&replica, &bob), &callback, status).await;
    }
    assert_ne!(bob.login_cookies(), ada.login_cookies());
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/who");
}

#[checks::test]
async fn forged_state_is_rejected() {
    let service = Service::new().await;
    let replica = service.replica();
    let (ada, callback) = on_its_way(&service).await;
    let state = state_of(&callback);
    let other = {
        let mut service = Service::new().await;
        service.sealer = Sealer::random();
        on_its_way(&service).await.1
    };
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        state[..state.len() - 1].to_owned(),
        state_of(&other),
        "A".repeat(60_000),
    ];
    for at in (0..state.len()).step_by(7) {
        let mut changed = state.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        forged.push(String::from_utf8(changed).expect("text"));
    }
    for state in forged {
        let answer = ada
            .open(&replica, &format!("/callback?code=c&state={state}"))
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{state}");
    }
    for query in [
        "",
        "?code=c",
        &format!("?code=c&state={state}&state={state}"),
    ] {
        let answer = ada.open(&replica, &format!("/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    // A repeated parameter, and no code.
    for query in ["code=a&code=b&", ""] {
        let answer = ada
            .open(&replica, &format!("/callback?{query}state={state}"))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(service.code_grants(), 0);
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/who");
}

#[checks::test]
async fn state_ends_after_ten_minutes() {
    let service = Service::new().await;
    let replica = service.replica();
    let (ada, callback) = on_its_way(&service).await;
    let (bob, in_time) = on_its_way(&service).await;
    let clock = service.sample.globus.clock();
    clock.advance(std::time::Duration::from_secs(599));
    assert_eq!(path(&bob.sent_to(&replica, &in_time).await), "/who");
    clock.advance(std::time::Duration::from_secs(2));
    let answer = ada.open(&replica, &callback).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert!(answer.text.contains(r#"href="/who""#), "{}", answer.text);
    assert_eq!(service.code_grants(), 1);
}

#[checks::test]
async fn login_cookie_is_made_once_and_renewed() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    ada.sent_to(&replica, "/who").await;
    let made = ada.login_cookies();
    assert_eq!((made.len(), made[0].len()), (1, 43));
    let answer = ada.open(&replica, "/other").await;
    let set = answer.headers["set-cookie"].to_str().expect("text");
    assert!(
        set.contains(&made[0]) && set.contains("Max-Age=1200"),
        "{set}"
    );
    ada.log_in(&service, &replica, ADA).await;
    assert_eq!(ada.login_cookies(), made);
    // A planted cookie does not replace it.
    let eve = Visitor::default();
    eve.set_cookie("__Host-globus-login-short", "short");
    eve.set_cookie("__Host-globus-login-AAAAAA", "B".repeat(43));
    eve.sent_to(&replica, "/who").await;
    let eves = eve.login_cookies();
    assert_eq!(eves.len(), 3);
    let page = eve.sent_to(&replica, "/who").await;
    let callback = service.approve(ADA, &page).await;
    assert_eq!(path(&eve.sent_to(&replica, &callback).await), "/who");
    assert_eq!(eve.login_cookies(), eves);
}

#[checks::test]
async fn state_is_secret_and_at_most_one_kib() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let page = ada.sent_to(&replica, "/who?secret=path").await;
    let state = value(&page, "state");
    assert!(state.len() <= 1024 && !state.contains("path"), "{state}");
    assert_ne!(
        state,
        value(&ada.sent_to(&replica, "/who?secret=path").await, "state")
    );
    // A long return path is left out: the login returns to the start page.
    let long = format!("/who?{}", "x".repeat(1000));
    let page = ada.sent_to(&replica, &long).await;
    assert!(value(&page, "state").len() <= 1024);
    let callback = service.approve(ADA, &page).await;
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/");
    // A requirement cannot be left out.
    let answer = ada.open(&replica, "/policies").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = ada.send(&replica, Request::get("/policies")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json()["code"], "LoginTooLarge");
}

#[checks::test]
async fn scopes_are_asked_for_again_and_not_in_the_state() {
    let service = Service::new().await;
    let dependent = (0..60).map(|number| format!("*https://auth.globus.org/scopes/{number}/x"));
    let dependent: Vec<_> = dependent.collect();
    let mapped = format!("{TRANSFER_ALL}[{}]", dependent.join(" "));
    let app = || {
        service
            .app()
            .scopes([&mapped])
            .scopes_may_be_required(|_, _| true)
    };
    let replica = service.replica_of(service.logins(app()));
    let ada = Visitor::default();
    let page = ada.sent_to(&replica, "/who").await;
    assert!(value(&page, "state").len() <= 1024);
    // A scope that a service required is in the record, and in later logins.
    let replica =
        service.replica_of(service.logins(service.app().scopes_may_be_required(|_, _| true)));
    ada.log_in(&service, &replica, ADA).await;
    for round in 1..=2 {
        let page = ada.sent_to(&replica, "/groups").await;
        assert!(value(&page, "scope").contains(GROUPS));
        let callback = service.approve(ADA, &page).await;
        assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/groups");
        service.minutes_pass(2);
        let page = ada.sent_to(&replica, "/ls").await;
        assert!(value(&page, "scope").contains(GROUPS), "{page}");
        let callback = service.approve(ADA, &page).await;
        assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/ls");
        assert_eq!(service.code_grants(), 1 + 2 * round);
    }
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn step_up_after_a_logout_is_ignored() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let callback = step_up(&service, &replica, &ada).await;
    ada.post(&replica, "/logout").await;
    let status = StatusCode::CONFLICT;
    assert_no_login(&service, (&replica, &ada), &callback, status).await;
}

/// The user logs out in another tab while the callback stores the tokens.
#[checks::test]
async fn logout_during_a_callback_wins() {
    let mut service = Service::new().await;
    let other = service.replica();
    let ada = Visitor::default();
    let callback = step_up(&service, &other, &ada).await;
    let gate = Gate::new();
    let store = Arc::clone(&service.store);
    service.store = Arc::new(Hooked::commits_behind(store, &gate));
    let replica = service.replica();
    let logout = async {
        gate.reached().await;
        ada.post(&other, "/logout").await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(ada.open(&replica, &callback), logout);
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    let who = ada.open(&other, "/who").await;
    assert_eq!(who.status, StatusCode::SEE_OTHER);
}

#[checks::test]
async fn step_up_needs_the_cookie_of_its_user() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    // Two tabs. One of them has logged in again.
    let callback = step_up(&service, &replica, &ada).await;
    let page = ada.sent_to(&replica, "/ls").await;
    let other = service.approve(ADA, &page).await;
    ada.sent_to(&replica, &other).await;
    let grants = service.code_grants();
    // The browser was closed. It has kept the login cookie and its history.
    let later = Visitor::default();
    later.take_cookies(&ada);
    later.set_cookie("__Host-globus-user", "");
    let status = StatusCode::CONFLICT;
    assert_no_login(&service, (&replica, &later), &callback, status).await;
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/ls");
    assert_eq!(service.code_grants(), grants);
}

#[checks::test]
async fn callback_does_not_restore_a_logged_out_id() {
    let service = Service::new().await;
    let replica = service.replica();
    let (ada, callback) = on_its_way(&service).await;
    ada.sent_to(&replica, &callback).await;
    ada.post(&replica, "/logout").await;
    let status = StatusCode::CONFLICT;
    assert_no_login(&service, (&replica, &ada), &callback, status).await;
}

#[checks::test]
async fn head_request_ends_no_login() {
    let service = Service::new().await;
    let replica = service.replica();
    let (ada, callback) = on_its_way(&service).await;
    let head = navigation(&callback).method(Method::HEAD);
    let answer = ada.send(&replica, head).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(service.code_grants(), 0);
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/who");
}
