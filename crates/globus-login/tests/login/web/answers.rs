//! Responses to requests that need a login.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake_globus::RequestKind;
use globus_gare::gare::Gare;
use globus_login::{Login, LoginStore, MemoryStore, StoreError, UserKey, Version, Versioned};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, REFERER, SET_COOKIE};
use http::request::Builder;
use http::{Method, Request, StatusCode};
use url::Url;

use super::service::*;
use crate::secrets::{Kept, log_to};
use crate::support::doubles::Hooked;
use crate::support::*;

fn call(path: &str) -> Builder {
    Request::get(path).header("sec-fetch-mode", "cors")
}

#[checks::test]
async fn page_is_redirected_to_the_login_and_a_call_gets_401() {
    let service = Service::new().await;
    let replica = service.replica();
    let html = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    let posted = Request::post("/who").header("sec-fetch-mode", "navigate");
    let fetched = call("/who").header(ACCEPT, html);
    for (request, status) in [
        (navigation("/who"), StatusCode::SEE_OTHER),
        (
            navigation("/who").header(ACCEPT, "*/*"),
            StatusCode::SEE_OTHER,
        ),
        (posted, StatusCode::SEE_OTHER),
        (
            Request::get("/who").header(ACCEPT, html),
            StatusCode::SEE_OTHER,
        ),
        (fetched, StatusCode::UNAUTHORIZED),
        (
            Request::post("/who").header(ACCEPT, html),
            StatusCode::UNAUTHORIZED,
        ),
        (
            Request::get("/who").header(ACCEPT, "application/json"),
            StatusCode::UNAUTHORIZED,
        ),
        // As curl sends it.
        (
            Request::get("/who").header(ACCEPT, "*/*"),
            StatusCode::UNAUTHORIZED,
        ),
        (Request::get("/who"), StatusCode::UNAUTHORIZED),
    ] {
        let told = format!("{request:?}");
        let answer = Visitor::default().send(&replica, request).await;
        assert_eq!(answer.status, status, "{told}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{told}");
        assert!(answer.headers.contains_key(SET_COOKIE), "{told}");
    }
}

#[checks::test]
async fn api_call_gets_a_gare_with_the_login_url() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let answer = ada.send(&replica, call("/ls")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    let gare: Gare = serde_json::from_str(&answer.text).expect("a GARE");
    assert_eq!(gare.code, "AuthenticationRequired");
    assert!(gare.authorization_parameters.is_empty());
    ada.log_in(&service, &replica, ADA).await;

    service.minutes_pass(2);
    let request = call("/ls").header(REFERER, format!("{SITE}/browse?id=7#files"));
    let answer = ada.send(&replica, request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let gare: Gare = serde_json::from_str(&answer.text).expect("a GARE");
    assert!(gare.authorization_parameters.requires_session(), "{gare:?}");
    let login = answer.json()["login_url"].clone();
    let login: Url = login.as_str().expect("text").parse().expect("a URL");
    // The login returns to the page that sent the call.
    let callback = service.approve(ADA, &login).await;
    assert_eq!(
        path(&ada.sent_to(&replica, &callback).await),
        "/browse?id=7"
    );
    assert_eq!(ada.send(&replica, call("/ls")).await.json(), "ada");
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn private_responses_are_not_cached() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let kept = async |path| {
        let answer = ada.open(&replica, path).await;
        let kept = answer.headers.get(CACHE_CONTROL);
        kept.map(|kept| kept.to_str().expect("text").to_owned())
    };
    assert_eq!(kept("/hello").await, None);
    ada.log_in(&service, &replica, ADA).await;
    assert_eq!(kept("/hello").await.as_deref(), Some("no-store"));
    assert_eq!(kept("/ls").await.as_deref(), Some("no-store"));
    // The header of a handler stays.
    assert_eq!(kept("/public").await.as_deref(), Some("max-age=60"));
    assert_eq!(kept("/callback").await.as_deref(), Some("no-store"));
}

#[checks::test]
async fn request_as_another_principal_begins_no_login() {
    let service = Service::new().await;
    let replica = service.replica();
    let ada = Visitor::default();
    let answer = ada.open(&replica, "/as-nobody").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    ada.log_in(&service, &replica, ADA).await;
    let answer = ada.open(&replica, "/as-nobody").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(service.code_grants(), 1);
}

/// A store that does not answer.
fn down() -> Arc<dyn LoginStore> {
    let error = || StoreError::unavailable("redis-7.internal is down", "no answer");
    let store = Hooked::new(MemoryStore::new(), move |_| {
        std::future::ready(Err(error()))
    });
    Arc::new(store)
}

#[checks::test]
async fn store_that_is_down_starts_no_login() {
    let mut service = Service::new().await;
    let ada = Visitor::default();
    ada.log_in(&service, &service.replica(), ADA).await;
    service.store = down();
    let replica = service.replica();
    for path in ["/who", "/ls"] {
        let answer = ada.open(&replica, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(
            answer.text.contains("<h1>The request failed</h1>"),
            "{}",
            answer.text
        );
        let told = ada.send(&replica, call(path)).await;
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(told.json()["code"], "Unavailable");
        assert!(!(answer.text + &told.text).contains("redis-7"), "{path}");
    }
    // The id is removed from the browser even if the store fails.
    let answer = ada.post(&replica, "/logout").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ada.cookie("__Host-globus-user"), None);
    let page = navigation("/who").method(Method::GET);
    assert_eq!(ada.send(&replica, page).await.status, StatusCode::SEE_OTHER);
}

/// The page does not show the reason: operators find it in the log.
#[checks::test]
async fn log_has_all_causes_of_a_failure() {
    let log = Kept::default();
    let _guards = log_to(&log);
    let mut service = Service::new().await;
    let ada = Visitor::default();
    let page = ada.sent_to(&service.replica(), "/who").await;
    let callback = service.approve(ADA, &page).await;
    let globus = &service.sample.globus;
    globus.fail_next(RequestKind::Token, 503, "{}");
    ada.open(&service.replica(), &callback).await;
    assert!(log.text().contains("status 503"), "{}", log.text());

    ada.log_in(&service, &service.replica(), ADA).await;
    ada.open(&service.replica(), "/policies").await;
    let text = log.text();
    assert!(text.contains("more than fits into its `state`"), "{text}");
    service.store = down();
    ada.open(&service.replica(), "/who").await;
    let text = log.text();
    assert!(
        text.contains("redis-7.internal is down: no answer"),
        "{text}"
    );
}

/// A store whose keys are gone: logins that were stored before cannot be read.
#[derive(Debug)]
struct Rekeyed(MemoryStore, Mutex<Vec<UserKey>>);

#[async_trait]
impl LoginStore for Rekeyed {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let is_old = !self.1.lock().expect("whole").contains(user);
        match self.0.load(user).await? {
            kept if kept.version == Version::NONE => Ok(kept),
            _ if is_old => Err(StoreError::damaged("sealed", "with a key that is gone")),
            kept => Ok(kept),
        }
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        self.1.lock().expect("whole").push(user.clone());
        self.0.commit(user, base, login).await
    }
}

#[checks::test]
async fn unreadable_login_is_replaced_by_a_new_one() {
    let store = MemoryStore::new();
    let mut service = Service::on(store.clone()).await;
    let ada = Visitor::default();
    let id = ada.log_in(&service, &service.replica(), ADA).await;
    service.store = Arc::new(Rekeyed(store, Mutex::default()));
    let replica = service.replica();
    let page = ada.sent_to(&replica, "/ls").await;
    let callback = service.approve(ADA, &page).await;
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/ls");
    assert_ne!(ada.id(&replica).await, id);
    assert_eq!(ada.open(&replica, "/ls").await.json(), "ada");
}
