//! A replay has the headers of its request, with their order and their flags, and the new credential alone.

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

/// A service that refuses each request once, and what it was sent.
fn refusing() -> (Service, Arc<Mutex<Vec<Listed>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sent);
    let client = behind(&GareLayer::new(Login::at_once()), move |request| {
        seen.lock().expect("whole").push(listed(request.headers()));
        let known = authorization_of(&request).starts_with("Bearer token-");
        answer(if known { 200 } else { 403 }, MFA)
    });
    (client, sent)
}

/// Nothing where it is no text: some of the values below are none.
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
    // Of another user each time, so that each is refused; the same names, with other flags.
    for key in [
        [plain("k"), secret("k")],
        [secret("k"), plain("k")],
        [secret("k"), secret("k")],
        [plain("k"), plain("k")],
    ] {
        let (client, sent) = refusing();
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
            let sent = std::mem::take(&mut *sent.lock().expect("whole"));
            assert_eq!(sent[0], listed(&headers), "it goes out as it came");
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
    /// Of two requests of one session, alike in part.
    #[checks::test(seconds = 600)]
    fn replay_keeps_every_header_but_the_credential(
        first in headers(), second in headers(), common in headers(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        let (client, sent) = refusing();
        let (mut first, mut second) = (first, second);
        first.extend(common.clone());
        second.extend(common);
        for (number, headers) in [first, second].into_iter().enumerate() {
            let mut headers = map(&headers);
            let mut bearer = secret(&format!("Bearer user-{number}"));
            bearer.set_sensitive(number == 0);
            // The first value says whose request it is; the replay has none of the others either.
            if let Some(value) = headers.get_mut(AUTHORIZATION) {
                *value = bearer;
            } else {
                headers.insert(AUTHORIZATION, bearer);
            }
            let response = runtime.block_on(client.clone().oneshot(with_headers(&headers)));
            prop_assert_eq!(response.expect("an answer").status(), 200);
            let sent = std::mem::take(&mut *sent.lock().expect("whole"));
            prop_assert_eq!(&sent[0], &listed(&headers));
            let mut expected = headers;
            expected.insert(AUTHORIZATION, secret(&format!("Bearer token-{}", number + 1)));
            prop_assert_eq!(&sent[1..], &[listed(&expected)]);
        }
    }
}
