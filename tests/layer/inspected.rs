//! Which responses are inspected, by status, headers, method and length.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::GareOutcome;
use http::{Method, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{Body, Login, MFA, authorization, behind, get};

/// Whether the requirement in a response like this is found.
async fn is_read(
    method: Method,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    limit: usize,
) -> bool {
    let login = Login::at_once();
    let layer = GareLayer::new(login.clone()).max_inspect(limit);
    let client = behind(&layer, move |request| {
        let mut response = http::Response::builder();
        if authorization(&request) == "Bearer token-1" {
            return response.body(Body::default()).expect("a response");
        }
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.status(status).body(Body::from(MFA));
        response.expect("a response")
    });
    let mut request = get("/");
    *request.method_mut() = method;
    let response = client.oneshot(request).await.expect("an answer");
    let logins = login.logins();
    let outcome = response.extensions().get::<GareOutcome>().is_some();
    assert_eq!(outcome, logins == 1, "{status} {headers:?}");
    let expected = if logins == 1 { 200 } else { status };
    assert_eq!(response.status(), expected, "{status} {headers:?}");
    logins == 1
}

#[checks::test]
async fn error_responses_of_json_or_text_are_read() {
    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    for (status, headers, read) in [
        (200, JSON, false),
        (302, JSON, false),
        (400, JSON, true),
        (401, JSON, true),
        (403, &[], true),
        (404, &[("content-type", "text/plain; charset=utf-8")], true),
        (404, &[("content-type", "TEXT/PLAIN")], true),
        (403, &[("content-type", "Application/Vnd.API+JSON")], true),
        (403, &[("content-type", "application/problem+json")], true),
        (403, &[("content-type", " application/json ; x=y")], true),
        (403, &[("content-type", "")], true),
        (499, JSON, true),
        (500, JSON, false),
        (501, JSON, false),
        (502, JSON, true),
        (502, &[("content-type", "text/html")], true),
        (503, JSON, false),
        (504, JSON, false),
        (403, &[("content-type", "application/octet-stream")], false),
        (403, &[("content-type", "application/jsonp")], false),
        (403, &[("content-type", "image/png")], false),
        (403, &[("content-encoding", "gzip")], false),
        (403, &[("content-encoding", "identity")], true),
        (403, &[("content-encoding", "Identity")], true),
        (403, &[("content-encoding", "")], true),
        (403, &[("content-length", "0")], false),
    ] {
        let found = is_read(Method::GET, status, headers, MFA.len()).await;
        assert_eq!(found, read, "{status} {headers:?}");
    }
}

#[checks::test]
async fn responses_to_head_and_over_the_limit_are_not_read() {
    for (method, limit, read) in [
        (Method::GET, MFA.len(), true),
        (Method::POST, MFA.len(), true),
        (Method::DELETE, usize::MAX, true),
        (Method::GET, MFA.len() - 1, false),
        (Method::GET, 0, false),
        (Method::HEAD, usize::MAX, false),
    ] {
        let found = is_read(method.clone(), 403, &[], limit).await;
        assert_eq!(found, read, "{method} {limit}");
    }
}

/// A body of this length that is always pending.
struct Stalled(u64);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

#[checks::test(start_paused = true)]
async fn body_known_to_be_too_long_is_not_read() {
    for (length, waits) in [(8, true), (9, false)] {
        let layer = Login::at_once().layer().max_inspect(8);
        let service = service_fn(move |_: Request<Body>| async move {
            let response = Response::builder().status(403).body(Stalled(length));
            Ok::<_, Infallible>(response.expect("a response"))
        });
        let began = Instant::now();
        let response = layer.layer(service).oneshot(get("/")).await;
        assert_eq!(response.expect("an answer").status(), 403);
        assert_eq!(began.elapsed() > Duration::ZERO, waits, "{length}");
    }
}
