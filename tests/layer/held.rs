//! The memory of a response that is read ahead, for bodies in many and in large frames.

use std::convert::Infallible;

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use futures_util::stream;
use globus_gare::layer::GareLayer;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Collected, StreamBody};
use tokio_test::{assert_ready_ok, task};
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{Body, Login, get};

const LIMIT: usize = 256 * 1024;

/// Frames of `length` bytes, each in a read buffer of its own, and trailers.
#[derive(Clone, Copy, Debug)]
struct Frames {
    total: usize,
    length: usize,
    buffer: usize,
}

impl Frames {
    fn body(self) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin {
        let count = self.total.div_ceil(self.length.max(1));
        let frames = (0..=count).map(move |at| {
            Ok(if at == count {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-frames", count.into());
                Frame::trailers(trailers)
            } else {
                let letter = b'a' + u8::try_from(at % 26).expect("a letter");
                Frame::data(Bytes::from(vec![letter; self.buffer]).split_to(self.length))
            })
        });
        StreamBody::new(stream::iter(frames))
    }
}

fn collected<B>(body: B) -> Collected<Bytes>
where
    B: http_body::Body<Data = Bytes, Error = Infallible>,
{
    assert_ready_ok!(task::spawn(body.collect()).poll())
}

/// The allocations until the caller has the response, which is the service's own.
fn held(frames: Frames) -> AllocationInfo {
    let client = GareLayer::new(Login::at_once())
        .max_inspect(LIMIT)
        .layer(service_fn(move |_: Request<Body>| async move {
            let response = Response::builder().status(403).body(frames.body());
            Ok::<_, Infallible>(response.expect("a response"))
        }));
    let mut call = task::spawn(client.oneshot(get("/")));
    let mut response = None;
    let info = measure(|| response = Some(assert_ready_ok!(call.poll())));
    let (given, own) = (
        collected(response.expect("a response").into_body()),
        collected(frames.body()),
    );
    assert_eq!(given.trailers(), own.trailers(), "{frames:?}");
    assert!(given.to_bytes() == own.to_bytes(), "{frames:?}");
    info
}

#[checks::test]
fn held_bytes_are_at_most_twice_the_inspect_limit() {
    for (total, length, buffer) in [
        (LIMIT, 1, 512),
        (LIMIT, 1, 1),
        (LIMIT + 1, 1, 512),
        (LIMIT, 0, 512),
        (LIMIT, 100, 8 * 1024),
        (LIMIT, 5_000, 64 * 1024),
        (LIMIT, 16 * 1024, 16 * 1024),
        (LIMIT * 3 / 4, 3, 512),
    ] {
        let frames = Frames {
            total,
            length,
            buffer,
        };
        let info = held(frames);
        let limit = u64::try_from(2 * LIMIT).expect("64 bits");
        assert!(info.bytes_max <= limit, "{frames:?}: {}", info.bytes_max);
    }
}

#[checks::test]
fn response_of_one_frame_is_not_copied() {
    let frames = Frames {
        total: LIMIT,
        length: LIMIT,
        buffer: LIMIT,
    };
    let info = held(frames);
    let most = u64::try_from(LIMIT + LIMIT / 8).expect("64 bits");
    assert!(info.bytes_max <= most, "{}", info.bytes_max);
}
