//! A replay has the headers of its request in their order, with their flags, and only the new
//! credential.

use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use tower::ServiceExt;

use checks::mock::{Body, Login, MFA, Service, answer, authorization, behind, get};

use crate::support::{Listed, listed};

fn secret(value: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(value).expect("a value");
    value.set_sensitive(true);
    value
}

fn map(headers: &[(&str, HeaderValue)]) -> HeaderMap {
    let named = headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, value.clone())
    });
    let mut map = HeaderMap::new();
    for (name, value) in named {
        map.append(name, value);
    }
    map
}

/// A service that challenges each request once, and the headers that it received.
fn challenging() -> (Service, Arc<Mutex<Vec<Listed>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sent);
    let client = behind(&GareLayer::new(Login::at_once()), move |request| {
        seen.lock()
            .expect("no panic")
            .push(listed(request.headers()));
        let known = authorization_of(&request).starts_with("Bearer token-");
        answer(if known { 200 } else { 403 }, MFA)
    });
    (client, sent)
}

/// The `Authorization` of a request; empty if it is not text.
fn authorization_of(request: &Request<Body>) -> &str {
    let value = request.headers().get(AUTHORIZATION);
    let text = value.is_some_and(|value| value.to_str().is_ok());
    if text { authorization(request) } else { "" }
}

fn with_headers(headers: &HeaderMap) -> Request<Body> {
    let mut request = get("/");
    *request.headers_mut() = headers.clone();
    request
}

#[checks::test(seconds = 600)]
async fn sensitive_headers_stay_sensitive_on_a_replay() {
    let plain = HeaderValue::from_static;
    // Each request has another user, so that each is challenged; the names are the same, the flags
    // differ.
    for key in [
        [plain("k"), secret("k")],
        [secret("k"), plain("k")],
        [secret("k"), secret("k")],
        [plain("k"), plain("k")],
    ] {
        let (client, sent) = challenging();
        for (user, key) in key.into_iter().enumerate() {
            let headers = map(&[
                ("accept", plain("application/json")),
                ("x-api-key", key),
                ("cookie", secret("session=s")),
                ("authorization", plain("Bearer plain")),
                ("x-user", HeaderValue::from(user)),
            ]);
            let mut headers = headers;
            headers.insert(AUTHORIZATION, secret(&format!("Bearer user-{user}")));
            let response = client.clone().oneshot(with_headers(&headers)).await;
            assert_eq!(response.expect("an answer").status(), 200);
            let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
            assert_eq!(sent[0], listed(&headers), "the first attempt is unchanged");
            headers.insert(AUTHORIZATION, secret(&format!("Bearer token-{}", user + 1)));
            assert_eq!(sent[1..], [listed(&headers)]);
        }
    }
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, HeaderValue)>> {
    let names = ["accept", "authorization", "cookie", "x-a", "x-b", "x-c"];
    let values = prop_oneof![
        Just(HeaderValue::from_static("")),
        Just(HeaderValue::from_static("one")),
        Just(secret("one")),
        Just(HeaderValue::from_static("Bearer two")),
        Just(secret("Bearer two")),
        Just(HeaderValue::from_bytes(b"\xff\t ").expect("a value")),
        Just(HeaderValue::from_str(&"l".repeat(5000)).expect("a value")),
    ];
    prop::collection::vec((prop::sample::select(names.to_vec()), values), 0..12)
}

proptest! {
    /// Two requests of one session have some headers in common.
    #[checks::test(seconds = 600)]
    fn replay_keeps_every_header_but_the_credential(
        first in headers(), second in headers(), common in headers(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        let (client, sent) = challenging();
        let (mut first, mut second) = (first, second);
        first.extend(common.clone());
        second.extend(common);
        for (number, headers) in [first, second].into_iter().enumerate() {
            let mut headers = map(&headers);
            let mut bearer = secret(&format!("Bearer user-{number}"));
            bearer.set_sensitive(number == 0);
            // The first value is the principal. The replay has none of the other values.
            if let Some(value) = headers.get_mut(AUTHORIZATION) {
                *value = bearer;
            } else {
                headers.insert(AUTHORIZATION, bearer);
            }
            let response = runtime.block_on(client.clone().oneshot(with_headers(&headers)));
            prop_assert_eq!(response.expect("an answer").status(), 200);
            let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
            prop_assert_eq!(&sent[0], &listed(&headers));
            let mut expected = headers;
            expected.insert(AUTHORIZATION, secret(&format!("Bearer token-{}", number + 1)));
            prop_assert_eq!(&sent[1..], &[listed(&expected)]);
        }
    }
}
