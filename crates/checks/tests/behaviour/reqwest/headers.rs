//! A replay has the headers of its request, with their flags, and only the new credential.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue};
use reqwest::Request;

use super::service::{Watch, guarded, observed, session};
use crate::support::listed;
use crate::support::server::BoxError;

#[checks::test]
async fn sensitive_headers_stay_sensitive_on_a_replay() -> Result<(), BoxError> {
    let (server, _) = guarded(403).await;
    let attempts = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let watch = Watch {
        notes: Arc::clone(&attempts),
        of: |request, _| request.headers().clone(),
    };
    let client = observed(&session(), watch);
    // The same value, sensitive or not, of three users: each is challenged once.
    for (user, is_sensitive) in [("ada", true), ("bob", false), ("eve", true)] {
        let mut key = HeaderValue::from_static("key");
        key.set_sensitive(is_sensitive);
        let mut request = Request::new(http::Method::POST, server.url("/").parse()?);
        let headers = request.headers_mut();
        headers.append("x-b", HeaderValue::from_static("1"));
        headers.append("x-api-key", key);
        headers.append("x-b", HeaderValue::from_static("2"));
        headers.append("authorization", format!("Bearer {user}").parse()?);
        let sent = headers.clone();
        let response = client.execute(request).await?;
        assert_eq!(response.status(), 200, "{user}");
        let attempts = std::mem::take(&mut *attempts.lock().expect("no panic"));
        let [first, replay] = &attempts[..] else {
            panic!("{user}: {} attempts", attempts.len());
        };
        assert_eq!(listed(first), listed(&sent), "{user}");
        let mut expected = sent;
        let mut fresh = HeaderValue::from_static("Bearer fresh");
        fresh.set_sensitive(true);
        expected.insert("authorization", fresh);
        assert_eq!(listed(replay), listed(&expected), "{user}");
    }
    Ok(())
}
