//! Which bodies can be sent again, and what their copies send.

use bytes::Bytes;
use globus_gare::layer::{ReplayBody, ReplayableBody};
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};

use super::source::{Source, data};

/// What a copy of `body` sends; `None` where there is none.
async fn copied<B>(body: &B) -> Option<Bytes>
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
    assert_eq!(copied(&empty).await, nothing);
    assert_eq!(copied(&full).await.as_deref(), Some(&b"x"[..]));
    let copy = Some(full.clone()).try_clone().expect("a copy");
    assert_eq!(
        copied(&copy.expect("one")).await.as_deref(),
        Some(&b"x"[..])
    );
    assert!(matches!(None::<Full<Bytes>>.try_clone(), Some(None)));

    assert_eq!(copied(&BoxBody::new(empty)).await, nothing);
    assert_eq!(copied(&UnsyncBoxBody::new(empty)).await, nothing);
    assert_eq!(copied(&BoxBody::new(full.clone())).await, None);
    assert_eq!(copied(&UnsyncBoxBody::new(full.clone())).await, None);
    assert!(Some(BoxBody::new(full.clone())).try_clone().is_none());

    let of_reqwest = reqwest::Body::from("x");
    assert_eq!(copied(&of_reqwest).await.as_deref(), Some(&b"x"[..]));
    assert_eq!(copied(&reqwest::Body::default()).await, nothing);
    assert_eq!(copied(&reqwest::Body::wrap(empty)).await, nothing);
    assert_eq!(copied(&reqwest::Body::wrap(full)).await, None);

    assert_eq!(copied(&ReplayBody::<Full<Bytes>>::default()).await, nothing);
    let kept = ReplayBody::from(Full::new(Bytes::from_static(b"x")));
    assert_eq!(copied(&kept).await.as_deref(), Some(&b"x"[..]));
}

#[checks::test]
async fn optional_copy_claims_as_the_copy_does() {
    assert!(None::<ReplayBody<Source>>.claim());
    for (limit, lasts) in [(2, true), (1, false)] {
        let body = ReplayBody::with_limit(Source::of(vec![data("ab")], true), limit);
        let copy = Some(body.try_clone().expect("a copy"));
        body.collect().await.expect("sent");
        assert_eq!(copy.claim(), lasts, "{limit}");
    }
}
