//! The frames of a response that was read ahead: all data in one frame, then the trailers.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, ReauthError};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{Body, Login, MFA, get};

const TRAILERS: &str = "trailers";

fn frame(text: &'static str) -> Frame<Bytes> {
    match text {
        TRAILERS => Frame::trailers(HeaderMap::new()),
        _ => Frame::data(Bytes::from_static(text.as_bytes())),
    }
}

/// The frames that a caller gets if the login for a challenge in `frames` fails, and the number of
/// its requirements.
async fn returned(frames: Vec<&'static str>, limit: usize) -> (Vec<String>, usize) {
    let client = service_fn(move |_: Request<Body>| {
        let frames = frames.clone().into_iter();
        let frames = frames.map(|text| Ok::<_, Infallible>(frame(text)));
        let body = StreamBody::new(stream::iter(frames));
        std::future::ready(Response::builder().status(403).body(body))
    });
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let layer = GareLayer::new(login).max_inspect(limit);
    let response = layer.layer(client).oneshot(get("/")).await;
    let response = response.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    let found = outcome.map_or(0, |outcome| outcome.found().len());
    let mut body = response.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push(format!("{:?}", frame.expect("no error")));
    }
    (frames, found)
}

#[checks::test]
async fn data_and_trailers_are_passed_on_unchanged() {
    let (start, end) = MFA.split_at(30);
    for (frames, given, found) in [
        (vec![], vec![], 0),
        (vec![""], vec![""], 0),
        (vec!["a"], vec!["a"], 0),
        (vec!["a", "", "b"], vec!["ab"], 0),
        (vec!["a", TRAILERS], vec!["a", TRAILERS], 0),
        (vec![TRAILERS], vec![TRAILERS], 0),
        (vec![TRAILERS, "a"], vec!["a", TRAILERS], 0),
        (vec![MFA], vec![MFA], 1),
        (vec!["", start, "", end], vec![MFA], 1),
        (vec![start, end, TRAILERS], vec![MFA, TRAILERS], 1),
        (vec![TRAILERS, start, end], vec![MFA, TRAILERS], 1),
    ] {
        let expected: Vec<_> = given
            .iter()
            .map(|text| format!("{:?}", frame(text)))
            .collect();
        assert_eq!(
            returned(frames.clone(), 1024).await,
            (expected, found),
            "{frames:?}"
        );
    }
}

#[checks::test]
async fn empty_frames_count_towards_the_inspect_limit() {
    for (empty, expected) in [(2, 1), (3, 0)] {
        let mut frames = vec![""; empty];
        frames.push(MFA);
        let (given, found) = returned(frames, MFA.len() + 2).await;
        assert!(given.concat().contains("session_required_mfa"), "{given:?}");
        assert_eq!(found, expected, "{empty} empty frames");
    }
}
