//! A replay has the headers of its request, with their flags, and the new credential alone.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use globus_gare::reqwest::GareMiddleware;
use http::{Extensions, HeaderMap, HeaderValue};
use reqwest::Request;
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use super::service::{guarded, plain, session};
use crate::support::server::BoxError;

/// Inside of ours: the headers of each attempt.
struct Watch(Arc<Mutex<Vec<HeaderMap>>>);

#[async_trait]
impl Middleware for Watch {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let headers = request.headers().clone();
        self.0.lock().expect("whole").push(headers);
        next.run(request, extensions).await
    }
}

fn list(headers: &HeaderMap) -> Vec<(&str, &[u8], bool)> {
    let all = headers.iter();
    all.map(|(name, value)| (name.as_str(), value.as_bytes(), value.is_sensitive()))
        .collect()
}

#[checks::test]
async fn sensitive_headers_stay_sensitive_on_a_replay() -> Result<(), BoxError> {
    let (server, _) = guarded(403).await;
    let attempts = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let client = ClientBuilder::new(plain())
        .with(GareMiddleware::from_session(session()))
        .with(Watch(Arc::clone(&attempts)))
        .build();
    // The same value, sensitive and not, of two users: each is refused once.
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
        let attempts = std::mem::take(&mut *attempts.lock().expect("whole"));
        let [first, replay] = &attempts[..] else {
            panic!("{user}: {} attempts", attempts.len());
        };
        assert_eq!(list(first), list(&sent), "{user}");
        let mut expected = sent;
        let mut fresh = HeaderValue::from_static("Bearer fresh");
        fresh.set_sensitive(true);
        expected.insert("authorization", fresh);
        assert_eq!(list(replay), list(&expected), "{user}");
    }
    Ok(())
}
