//! The bodies that can be sent again, and the data of their copies.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use globus_gare::layer::{GareLayer, ReplayBody, ReplayableBody};
use http::Request;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{Login, MFA, POLICY, answer, get};

use super::source::{Source, data};

/// The data of a copy of `body`; `None` if it cannot be copied.
async fn copied<B>(mut body: B) -> Option<Bytes>
where
    B: ReplayableBody + Body,
    B::Error: std::fmt::Debug,
{
    let copy = body.try_clone()?.collect().await.expect("a body");
    Some(copy.to_bytes())
}

#[checks::test]
async fn bodies_in_memory_and_empty_boxes_are_copied() {
    let (empty, full) = (Empty::<Bytes>::new(), Full::new(Bytes::from_static(b"x")));
    let nothing = Some(Bytes::new());
    assert_eq!(copied(empty).await, nothing);
    assert_eq!(copied(full.clone()).await.as_deref(), Some(&b"x"[..]));
    let copy = Some(full.clone()).try_clone().expect("a copy");
    assert_eq!(copied(copy.expect("one")).await.as_deref(), Some(&b"x"[..]));
    assert!(matches!(None::<Full<Bytes>>.try_clone(), Some(None)));

    assert_eq!(copied(BoxBody::new(empty)).await, nothing);
    assert_eq!(copied(UnsyncBoxBody::new(empty)).await, nothing);
    assert_eq!(copied(BoxBody::new(full.clone())).await, None);
    assert_eq!(copied(UnsyncBoxBody::new(full.clone())).await, None);
    assert!(Some(BoxBody::new(full.clone())).try_clone().is_none());

    assert_eq!(
        copied(reqwest::Body::from("x")).await.as_deref(),
        Some(&b"x"[..])
    );
    assert_eq!(copied(reqwest::Body::default()).await, nothing);
    assert_eq!(copied(reqwest::Body::wrap(empty)).await, nothing);
    assert_eq!(copied(reqwest::Body::wrap(full)).await, None);

    assert_eq!(copied(ReplayBody::<Full<Bytes>>::default()).await, nothing);
    let kept = ReplayBody::from(Full::new(Bytes::from_static(b"x")));
    assert_eq!(copied(kept).await.as_deref(), Some(&b"x"[..]));
}

#[checks::test]
async fn optional_copy_claims_as_the_copy_does() {
    assert!(None::<ReplayBody<Source>>.claim());
    for (limit, lasts) in [(2, true), (1, false)] {
        let mut body = ReplayBody::with_limit(Source::of(vec![data("ab")], true), limit);
        let copy = Some(body.try_clone().expect("a copy"));
        body.collect().await.expect("sent");
        assert_eq!(copy.claim(), lasts, "{limit}");
    }
}

#[checks::test]
async fn reqwest_body_in_memory_is_sent_again_without_a_copy() {
    let data = Bytes::from(vec![b'x'; 100]);
    let received = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&received);
    let service = service_fn(move |request: Request<reqwest::Body>| {
        let bytes = request.body().as_bytes().expect("a body in memory");
        let mut log = log.lock().expect("no panic");
        log.push((bytes.as_ptr().addr(), bytes.len()));
        let answer = match log.len() {
            1 => answer(403, MFA),
            2 => answer(403, POLICY),
            _ => answer(200, ""),
        };
        async { Ok::<_, Infallible>(answer) }
    });
    let request = get("/").map(|_| reqwest::Body::from(data.clone()));
    let client = GareLayer::new(Login::at_once()).layer(service);
    let response = client.oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let received = received.lock().expect("no panic");
    assert_eq!(*received, [(data.as_ptr().addr(), data.len()); 3]);
}
