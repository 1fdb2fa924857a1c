//! The ids of users, in their browsers' cookies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use globus_login::web::WebLogins;
use globus_login::{Sealer, StoreError};
use http::StatusCode;
use uuid::Uuid;

use super::service::*;
use crate::support::doubles::Hooked;
use crate::support::*;

const USER: &str = "__Host-globus-user";

#[checks::test]
async fn planted_id_is_ignored() {
    let service = Service::new().await;
    let replica = service.replica();
    let planted = Uuid::new_v4().to_string();
    let other_site = {
        let app = service.app().build().expect("an app");
        let logins = WebLogins::new(app, Sealer::random(), SITE).expect("a site");
        let replica = service.replica_of(logins);
        let eve = Visitor::default();
        eve.log_in(&service, &replica, BOB).await;
        eve.cookie(USER).expect("an id")
    };
    for planted in [planted, String::new(), "a.b".to_owned(), other_site] {
        let ada = Visitor::default();
        ada.set_cookie(USER, planted.clone());
        let id = ada.log_in(&service, &replica, ADA).await;
        assert_ne!(id, planted);
        assert_ne!(ada.cookie(USER), Some(planted));
    }
}

#[checks::test]
async fn cookie_hides_its_id() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let id = ada.log_in(&service, &replica, ADA).await;
    let cookie = ada.cookie(USER).expect("an id");
    assert!(id.len() >= 22 && !cookie.contains(&id), "{cookie}");
    for at in 0..cookie.len() {
        let mut changed = cookie.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let eve = Visitor::default();
        eve.set_cookie(USER, String::from_utf8(changed).expect("text"));
        assert_eq!(
            eve.open(&replica, "/who").await.status,
            StatusCode::SEE_OTHER,
            "{at}"
        );
    }
}

#[checks::test]
async fn first_login_of_a_browser_gets_a_new_id() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let first = ada.log_in(&service, &replica, ADA).await;
    let known = ada.cookie(USER).expect("an id");
    assert_eq!(ada.post(&replica, "/logout").await.text, "true");
    assert_eq!(ada.cookie(USER), None);
    // An attacker plants a kept cookie in a browser in which somebody logs in.
    ada.set_cookie(USER, known.clone());
    let second = ada.log_in(&service, &replica, ADA).await;
    assert_ne!(first, second);
    let eve = Visitor::default();
    eve.set_cookie(USER, known);
    assert_eq!(
        eve.open(&replica, "/who").await.status,
        StatusCode::SEE_OTHER
    );
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn step_up_keeps_its_id() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let id = ada.log_in(&service, &replica, ADA).await;
    service.minutes_pass(2);
    let page = ada.sent_to(&replica, "/ls").await;
    let callback = service.approve(ADA, &page).await;
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/ls");
    assert_eq!(ada.id(&replica).await, id);
    // A login after the tokens have expired keeps the id as well.
    expire(&service.sample.globus);
    assert_eq!(ada.log_in(&service, &replica, ADA).await, id);
}

#[checks::test]
async fn logout_ends_the_login_on_all_replicas() {
    let service = Service::new().await;
    let (first, second) = (service.replica(), service.replica());
    let ada = Visitor::default();
    ada.log_in(&service, &first, ADA).await;
    let kept = Visitor::default();
    let cookie = ada.cookie(USER).expect("an id");
    assert_eq!(ada.open(&second, "/ls").await.json(), "ada");
    let answer = ada.post(&first, "/logout").await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, "true")
    );
    assert_eq!(ada.post(&first, "/logout").await.text, "false");
    kept.set_cookie(USER, cookie);
    for (replica, path) in [(&first, "/who"), (&second, "/who"), (&second, "/ls")] {
        let answer = kept.open(replica, path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
    }
    assert_no_violation(&service.sample.globus);
}

/// The browser cannot repeat it: its id is removed.
#[checks::test]
async fn failed_logout_is_tried_again() {
    let mut service = Service::new().await;
    let ada = Visitor::default();
    ada.log_in(&service, &service.replica(), ADA).await;
    let kept = Visitor::default();
    kept.set_cookie(USER, ada.cookie(USER).expect("an id"));
    let who = kept.open(&service.replica(), "/who").await;
    assert_eq!(who.status, StatusCode::OK);
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let hook = move |_| {
        let error = || StoreError::unavailable("the store is down", "no answer");
        let result = if down.load(SeqCst) {
            Err(error())
        } else {
            Ok(())
        };
        std::future::ready(result)
    };
    service.store = Arc::new(Hooked::new(Arc::clone(&service.store), hook));
    let replica = service.replica();
    let answer = ada.post(&replica, "/logout").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    is_down.store(false, SeqCst);
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(11)).await;
    tokio::time::resume();
    let answer = kept.open(&replica, "/who").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[checks::test]
async fn step_up_by_another_person_is_refused() {
    let service = Service::new().await;
    let replica = service.replica();
    let browser = Visitor::default();
    let id = browser.log_in(&service, &replica, ADA).await;
    service.minutes_pass(2);
    let page = browser.sent_to(&replica, "/ls").await;
    let callback = service.approve(BOB, &page).await;
    let answer = browser.open(&replica, &callback).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer.text.contains("Another person has logged in"),
        "{}",
        answer.text
    );
    assert_eq!(browser.id(&replica).await, id);
    let page = browser.sent_to(&replica, "/ls").await;
    let callback = service.approve(ADA, &page).await;
    browser.sent_to(&replica, &callback).await;
    assert_eq!(browser.open(&replica, "/ls").await.json(), "ada");
}

#[checks::test]
async fn cookie_of_an_older_key_is_renewed() {
    let mut service = Service::new().await;
    let [old, new] = [
        "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "new:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ];
    service.sealer = old.parse().expect("a key");
    let ada = Visitor::default();
    let id = ada.log_in(&service, &service.replica(), ADA).await;
    let before = ada.cookie(USER).expect("an id");
    assert!(before.starts_with("old."), "{before}");
    service.sealer = format!("{new},{old}").parse().expect("keys");
    ada.open(&service.replica(), "/hello").await;
    let after = ada.cookie(USER).expect("an id");
    assert!(after.starts_with("new."), "{after}");
    service.sealer = new.parse().expect("a key");
    let replica = service.replica();
    assert_eq!(ada.id(&replica).await, id);
    ada.open(&replica, "/hello").await;
    assert_eq!(ada.cookie(USER), Some(after), "renewed once");
}
