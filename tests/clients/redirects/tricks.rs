//! URLs that look like Globus' and are not: they get no credential and start no login.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, ResponseUrl, Session, Trust};
use http::{Request, Response, Uri};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use super::origins::{MFA, trusting};

const TRANSFER: &str = "https://transfer.api.globus.org/";

/// Sends a request to a service at `uri`, which challenges it and names `answered_by` as the URL of
/// the response. Returns the reason why the layer gave up, and whether the service got a
/// credential.
pub(crate) async fn challenge_from(
    session: &Session,
    uri: &str,
    answered_by: Option<&str>,
) -> (String, bool) {
    let given = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&given);
    let told: Option<Uri> = answered_by.map(|uri| uri.parse().expect("a URI"));
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let secret = request.headers().contains_key("authorization");
        counted.fetch_add(usize::from(secret), SeqCst);
        let mut response = Response::new(Full::new(Bytes::from(MFA)));
        *response.status_mut() = http::StatusCode::FORBIDDEN;
        if let Some(told) = told.clone() {
            response.extensions_mut().insert(ResponseUrl(told));
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let client = GareLayer::from_session(session.clone()).layer(service);
    let request = Request::get(uri).body(Full::default()).expect("a request");
    let response = client.oneshot(request).await.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    let reason = outcome.and_then(GareOutcome::gave_up).expect("a reason");
    (reason.name().to_owned(), given.load(SeqCst) > 0)
}

const TRICKS: [&str; 15] = [
    "https://globus.org.evil.example/",
    "https://transfer.api.globus.org.evil.example/",
    "https://notglobus.org/",
    "https://globus.org@evil.example/",
    "https://transfer.api.globus.org:443@evil.example/",
    "https://user@transfer.api.globus.org/",
    "https://transfer.api.globus.org:8443/",
    "https://transfer.api.globus.org:/",
    "http://transfer.api.globus.org/",
    "http://transfer.api.globus.org:443/",
    "https://xn--glbus-jua.org/",
    "https://[2001:db8::1].globus.org/",
    "https://globus.org./",
    "https://127.0.0.1/",
    "http://localhost/",
];

#[checks::test]
async fn lookalike_origins_get_no_credential_and_no_login() {
    for trick in TRICKS {
        let (session, logins) = trusting(Trust::globus());
        let (reason, given) = challenge_from(&session, trick, None).await;
        assert!(
            ["untrusted", "no_origin"].contains(&reason.as_str()),
            "{trick}"
        );
        assert!(!given, "{trick}");
        assert_eq!(logins.load(SeqCst), 0, "{trick}");
        assert_eq!(session.stats().look_ups, 0, "{trick}");
    }
}

#[checks::test]
async fn response_from_a_lookalike_origin_starts_no_login() {
    let relative = ["/v0.10/task_list", "evil.example"];
    for trick in TRICKS.into_iter().chain(relative) {
        let (session, logins) = trusting(Trust::globus());
        let result = challenge_from(&session, TRANSFER, Some(trick)).await;
        assert_eq!(result, ("untrusted".to_owned(), true), "{trick}");
        assert_eq!(logins.load(SeqCst), 0, "{trick}");
    }
}

#[checks::test]
async fn challenge_of_a_trusted_origin_starts_a_login() {
    let added = || Trust::globus().origin("https://data.example.edu:8443/x");
    let loopback = || Ok(Trust::none().loopback());
    for (trust, uri) in [
        (Ok(Trust::globus()), TRANSFER),
        (Ok(Trust::globus()), "https://TRANSFER.api.globus.org:443/"),
        (added(), "https://data.example.edu:8443/"),
        (added(), TRANSFER),
        (loopback(), "http://127.0.0.1:1234/"),
        (loopback(), "http://[::1]:1234/"),
    ] {
        let (session, logins) = trusting(trust.expect("an origin"));
        let result = challenge_from(&session, uri, None).await;
        assert_eq!(result, ("no_progress".to_owned(), true), "{uri}");
        assert_eq!(logins.load(SeqCst), 1, "{uri}");
    }
}
