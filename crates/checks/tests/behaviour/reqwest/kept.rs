//! The middleware preserves requests and responses.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GareOutcome};
use globus_gare::reqwest::GareMiddleware;
use http::{Extensions, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::TokioExecutor;
use reqwest::Request;
use reqwest_middleware::ClientBuilder;
use tower::{Layer, ServiceExt};

use super::service::{
    GARE, Marker, Watch, answer, declining, gave_up, guarded, observed, session, with_middleware,
};
use crate::support::server::{BoxError, Server};

/// The credential of an attempt, its sensitive flag, the timeout, and the marker.
type Attempt = (Option<String>, bool, Option<Duration>, Option<u8>);

fn watch() -> Watch<Attempt> {
    Watch {
        notes: Arc::default(),
        of: attempt,
    }
}

fn attempt(request: &Request, extensions: &Extensions) -> Attempt {
    let values: Vec<_> = request.headers().get_all("authorization").iter().collect();
    let value = values.first().map(|value| value.to_str().expect("ASCII"));
    assert!(values.len() <= 1, "the credential was appended");
    (
        value.map(ToOwned::to_owned),
        values.first().is_some_and(|value| value.is_sensitive()),
        request.timeout().copied(),
        extensions.get::<Marker>().map(|marker| marker.0),
    )
}

#[checks::test]
async fn replay_is_the_request_with_the_new_credential() -> Result<(), BoxError> {
    let (server, requests) = guarded(403).await;
    let watch = watch();
    let sent = Arc::clone(&watch.notes);
    let client = observed(&session(), watch);
    let response = client
        .post(server.url("/a?b=c"))
        .bearer_auth("stale")
        .timeout(Duration::from_secs(77))
        .with_extension(Marker(7))
        .body("the body")
        .send()
        .await?;
    let limit = Some(Duration::from_secs(77));
    let attempt = |token: &str| (Some(token.to_owned()), true, limit, Some(7));
    assert_eq!(
        *sent.lock().expect("no panic"),
        [attempt("Bearer stale"), attempt("Bearer fresh")]
    );
    let outcome = response
        .extensions()
        .get::<GareOutcome>()
        .expect("an outcome");
    assert_eq!((outcome.logins(), outcome.replays()), (1, 1));
    assert_eq!(response.text().await?, "the body");
    assert_eq!(server.connections(), 1, "the challenge was read to its end");
    assert_eq!(requests.load(std::sync::atomic::Ordering::SeqCst), 2);
    Ok(())
}

#[checks::test]
async fn response_keeps_its_url_address_version_and_extensions() -> Result<(), BoxError> {
    let (server, _) = guarded(403).await;
    let redirecting = {
        let to = server.url("/there?x=y");
        Server::start(move |_| {
            let mut answer = answer(307, Bytes::new());
            answer
                .headers_mut()
                .insert("location", to.parse().expect("a URL"));
            async move { answer }
        })
        .await
    };
    // reqwest removes the credential when a redirect leaves the origin: the target challenges.
    for (session, url, status) in [
        (declining(), redirecting.url("/here"), 403),
        (session(), server.url("/there?x=y"), 200),
    ] {
        let response = observed(&session, watch()).get(url).send().await?;
        assert_eq!(response.status(), status);
        assert_eq!(response.url().as_str(), server.url("/there?x=y"));
        let address = response.remote_addr().expect("an address");
        assert_eq!(server.url(""), format!("http://{address}"));
        assert_eq!(response.version(), http::Version::HTTP_11);
        assert_eq!(response.extensions().get::<Marker>(), Some(&Marker(9)));
        assert!(response.extensions().get::<GareOutcome>().is_some());
    }
    Ok(())
}

#[checks::test]
async fn challenge_body_is_returned_unchanged() -> Result<(), BoxError> {
    let (server, _) = guarded(502).await;
    let client = with_middleware(&declining());
    let response = client.get(server.url("/")).send().await?;
    assert_eq!(response.content_length(), Some(GARE.len() as u64));
    assert_eq!(gave_up(&response), Some("failed"));
    let error = response.error_for_status_ref().expect_err("an error");
    assert_eq!(error.status(), Some(http::StatusCode::BAD_GATEWAY));
    assert_eq!(
        error.url().map(|url| url.as_str().to_owned()),
        Some(server.url("/"))
    );
    let mut pieces = response.bytes_stream();
    let mut text = Vec::new();
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece?);
    }
    assert_eq!(text, GARE.as_bytes());
    Ok(())
}

#[checks::test]
async fn slow_response_is_still_a_timeout() -> Result<(), BoxError> {
    let server = Server::start(|_| async {
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"{")))]);
        let body = StreamBody::new(first.chain(futures_util::stream::pending()));
        let response = Response::builder().status(403);
        response.body(BodyExt::boxed(body)).expect("an answer")
    })
    .await;
    let inner = reqwest::Client::builder().no_proxy();
    // A slow machine may take a while to send the head of the response.
    let inner = inner.read_timeout(Duration::from_secs(5)).build()?;
    let client = ClientBuilder::new(inner)
        .with(GareMiddleware::from_session(session()))
        .build();
    let error = client.get(server.url("/")).send().await?.bytes().await;
    let error = error.expect_err("an error");
    assert!(error.is_timeout() && error.is_decode(), "{error:?}");
    Ok(())
}

#[checks::test]
async fn client_error_is_returned_unchanged() {
    let client = with_middleware(&session());
    let closed = Server::start(|_| async { answer(200, Bytes::new()) })
        .await
        .url("/");
    let error = client.get(closed).send().await.expect_err("an error");
    assert!(error.is_connect(), "{error:?}");
}

#[checks::test]
async fn request_options_override_the_session() -> Result<(), BoxError> {
    let (server, requests) = guarded(403).await;
    let client = with_middleware(&session());
    for (options, reason) in [
        (GareOptions::new().bypass(), None),
        (GareOptions::new().no_prompt(), Some("no_prompt")),
        (GareOptions::new().login_only(), Some("login_only")),
    ] {
        let request = client.get(server.url("/")).bearer_auth("stale");
        let response = request.with_extension(options).send().await?;
        assert_eq!(
            (response.status().as_u16(), gave_up(&response)),
            (403, reason)
        );
    }
    assert_eq!(requests.load(std::sync::atomic::Ordering::SeqCst), 3);
    // The login serves later requests.
    let response = client
        .get(server.url("/"))
        .bearer_auth("stale")
        .send()
        .await?;
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (200, None)
    );
    Ok(())
}

#[checks::test]
async fn tower_client_shares_the_session_of_reqwest() -> Result<(), BoxError> {
    let (server, requests) = guarded(401).await;
    let session = session();
    let reqwest = with_middleware(&session);
    let hyper = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let tower = GareLayer::from_session(session.clone()).layer(hyper);
    assert_eq!(reqwest.get(server.url("/")).send().await?.status(), 200);
    let request = http::Request::get(server.url("/")).body(Full::<Bytes>::default())?;
    assert_eq!(tower.oneshot(request).await?.status(), 200);
    assert_eq!(session.stats().logins, 1);
    assert_eq!(requests.load(std::sync::atomic::Ordering::SeqCst), 3);
    Ok(())
}
