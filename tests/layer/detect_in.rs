//! `detect_in` finds requirements, and returns the whole response.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use checks::mock::MFA;
use futures_util::{StreamExt, stream};
use globus_gare::gare::Detection;
use globus_gare::layer::{GareBody, InspectLimits, detect_in};
use http::{HeaderMap, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, sleep};

type Pieces<E = Infallible> = UnsyncBoxBody<Bytes, E>;

fn of<E: 'static>(
    frames: impl futures_util::Stream<Item = Result<Frame<Bytes>, E>> + Send + 'static,
) -> Pieces<E> {
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

fn data(text: &str) -> Frame<Bytes> {
    Frame::data(Bytes::copy_from_slice(text.as_bytes()))
}

fn response<B>(status: u16, body: B) -> Response<B> {
    let response = Response::builder().status(status);
    response
        .header("x-request-id", "7")
        .body(body)
        .expect("a response")
}

/// The data and the trailers of a body, and whether it failed.
async fn rest<B: Body<Data = Bytes>>(
    response: Response<GareBody<B>>,
) -> (Bytes, Option<HeaderMap>, bool) {
    assert_eq!(response.headers()["x-request-id"], "7");
    let (mut text, mut trailers) = (Vec::new(), None);
    let mut body = Box::pin(response.into_body());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return (text.into(), trailers, true);
        };
        match frame.into_data() {
            Ok(data) => text.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    (text.into(), trailers, false)
}

fn requires_mfa(detection: &Detection) -> bool {
    let [found] = &detection.found[..] else {
        return false;
    };
    found.gare.authorization_parameters.session_required_mfa
}

#[checks::test]
async fn challenge_is_detected_and_its_response_is_whole() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "1".parse().expect("a value"));
    let (first, second) = MFA.split_at(20);
    let frames = [data(first), data(second), Frame::trailers(trailers.clone())];
    let body = of(stream::iter(frames.map(Ok::<_, Infallible>)));
    let (response, detection) = detect_in(response(403, body), InspectLimits::new()).await;
    assert!(requires_mfa(&detection), "{detection:?}");
    assert_eq!(response.status(), 403);
    assert_eq!(
        rest(response).await,
        (Bytes::from(MFA), Some(trailers), false)
    );
}

#[checks::test]
async fn response_that_cannot_be_a_challenge_is_not_read() {
    for (status, header, reads) in [
        (403, ("content-type", "application/json"), 1),
        (200, ("content-type", "application/json"), 0),
        (500, ("content-type", "application/json"), 0),
        (403, ("content-encoding", "gzip"), 0),
        (403, ("content-type", "image/png"), 0),
    ] {
        let read = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&read);
        let frames = stream::iter([data(MFA)]).map(move |frame| {
            count.fetch_add(1, SeqCst);
            Ok::<_, Infallible>(frame)
        });
        let mut response = response(status, of(frames));
        let value = header.1.parse().expect("a value");
        response.headers_mut().insert(header.0, value);
        let (response, detection) = detect_in(response, InspectLimits::new()).await;
        assert_eq!(read.load(SeqCst), reads, "{status}");
        assert_eq!(requires_mfa(&detection), reads == 1, "{status}");
        assert_eq!(rest(response).await, (Bytes::from(MFA), None, false));
    }
}

#[checks::test]
async fn body_over_the_limit_comes_back_whole() {
    for (limit, detected) in [(MFA.len(), true), (MFA.len() - 1, false), (0, false)] {
        let limits = InspectLimits::new().max_inspect(limit);
        // The length is known from the beginning, or not.
        let (known, detection) = detect_in(response(403, Full::<Bytes>::from(MFA)), limits).await;
        assert_eq!(requires_mfa(&detection), detected, "{limit}");
        assert_eq!(rest(known).await, (Bytes::from(MFA), None, false));
        let (first, second) = MFA.split_at(20);
        let body = of(stream::iter(
            [first, second].map(|text| Ok::<_, Infallible>(data(text))),
        ));
        let (streamed, detection) = detect_in(response(403, body), limits).await;
        assert_eq!(requires_mfa(&detection), detected, "{limit}");
        assert_eq!(rest(streamed).await, (Bytes::from(MFA), None, false));
    }
}

#[checks::test]
async fn default_limit_is_256_kib() {
    for (padding, detected) in [(0, true), (1, false)] {
        let mut text = MFA.to_owned();
        text.push_str(&" ".repeat(256 * 1024 - MFA.len() + padding));
        let (_, detection) = detect_in(
            response(403, Full::<Bytes>::from(text)),
            InspectLimits::default(),
        )
        .await;
        assert_eq!(requires_mfa(&detection), detected, "{padding}");
    }
}

/// A body whose second half comes after 11 seconds.
fn slow() -> Pieces {
    let (first, second) = MFA.split_at(20);
    let late = stream::once(async move {
        sleep(Duration::from_secs(11)).await;
        Ok(data(second))
    });
    of(stream::iter([Ok(data(first))]).chain(late))
}

#[checks::test(start_paused = true)]
async fn slow_body_comes_back_whole() {
    for (limits, waited, detected) in [
        (InspectLimits::new(), 10, false),
        (
            InspectLimits::new().inspect_timeout(Duration::from_secs(2)),
            2,
            false,
        ),
        (
            InspectLimits::new().inspect_timeout(Duration::from_secs(12)),
            11,
            true,
        ),
    ] {
        let start = Instant::now();
        let (response, detection) = detect_in(response(403, slow()), limits).await;
        assert_eq!(start.elapsed().as_secs(), waited);
        assert_eq!(requires_mfa(&detection), detected);
        assert_eq!(rest(response).await, (Bytes::from(MFA), None, false));
    }
}

#[checks::test]
async fn body_that_fails_keeps_its_error() {
    let frames = [Ok(data(MFA)), Err(io::Error::other("reset"))];
    let body = of(stream::iter(frames));
    let (response, detection) = detect_in(response(403, body), InspectLimits::new()).await;
    assert!(detection.found.is_empty());
    assert_eq!(rest(response).await, (Bytes::from(MFA), None, true));
}

#[checks::test]
fn no_runtime_is_needed() {
    let detected = detect_in(
        response(403, Full::<Bytes>::from(MFA)),
        InspectLimits::new(),
    );
    let (_, detection) = futures_util::FutureExt::now_or_never(detected).expect("a body in memory");
    assert!(requires_mfa(&detection));
}
