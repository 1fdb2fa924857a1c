//! `ReplayBody` poll by poll, with one copy after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;

use bytes::Bytes;
use globus_gare::layer::{ReplayBody, ReplayableBody};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use tokio_test::task;

use super::source::{Broken, Source, Step, data};

type Upload = ReplayBody<Source>;

/// Reads `frames` frames, or to the end. A trailer is `+`, an error `!`, the end `.`.
fn read(body: &mut Upload, frames: usize) -> Vec<String> {
    let mut body = task::spawn(body);
    let mut read = Vec::new();
    while read.len() < frames {
        let polled = body.enter(|cx, mut body| std::pin::Pin::new(&mut **body).poll_frame(cx));
        read.push(match polled {
            Poll::Pending => "~".to_owned(),
            Poll::Ready(None) => ".".to_owned(),
            Poll::Ready(Some(Err(error))) if error.is::<Broken>() => "!".to_owned(),
            Poll::Ready(Some(Err(error))) => kind(&*error).to_owned(),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => String::from_utf8(data.to_vec()).expect("text"),
                Err(_) => "+".to_owned(),
            },
        });
        if matches!(read.last().map(String::as_str), Some("." | "~")) {
            break;
        }
    }
    read
}

fn all(body: &mut Upload) -> Vec<String> {
    read(body, usize::MAX)
}

fn kind(error: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    match error.to_string().as_str() {
        "a later attempt sends the request's body" => "overtaken",
        "the request's body failed in an earlier attempt" => "broken",
        _ => "unknown",
    }
}

fn three() -> Vec<Step> {
    vec![data("a"), data("bc"), data("def"), Step::Trailers]
}

fn copies(limit: usize) -> (Upload, Upload) {
    let mut body = ReplayBody::with_limit(Source::of(three(), true), limit);
    let copy = body.try_clone().expect("a copy");
    (body, copy)
}

#[checks::test]
fn replay_begins_at_the_first_frame() {
    for frames in 0..=5 {
        let (mut first, mut copy) = copies(6);
        assert_eq!(read(&mut first, frames).len(), frames);
        drop(first);
        assert!(copy.claim(), "{frames}");
        let mut second_copy = copy.try_clone().expect("a copy");
        assert_eq!(all(&mut copy), ["a", "bc", "def", "+", "."], "{frames}");
        assert!(second_copy.claim());
        assert_eq!(
            all(&mut second_copy),
            ["a", "bc", "def", "+", "."],
            "{frames}"
        );
    }
}

#[checks::test]
fn replay_has_the_length_and_trailers_of_the_body() {
    let (mut first, mut copy) = copies(6);
    for (frame, left) in [("a", 5), ("bc", 3), ("def", 0), ("+", 0)] {
        assert_eq!(read(&mut first, 1), [frame]);
        assert_eq!(first.size_hint().exact(), Some(left));
    }
    for (left, frame) in [(6, "a"), (5, "bc"), (3, "def"), (0, "+")] {
        assert_eq!(copy.size_hint().exact(), Some(left));
        assert!(!copy.is_end_stream());
        assert_eq!(read(&mut copy, 1), [frame]);
    }
    assert_eq!(all(&mut copy), ["."]);
    assert!(copy.is_end_stream());
}

#[checks::test]
fn unknown_length_stays_unknown() {
    let mut first = ReplayBody::new(Source::of(three(), false));
    let copy = first.try_clone().expect("a copy");
    all(&mut first);
    assert_eq!(
        copy.size_hint().exact(),
        None,
        "with a length it would be sent without its trailers"
    );
    assert_eq!(copy.size_hint().upper(), None);
}

#[checks::test]
fn body_is_kept_up_to_exactly_the_limit() {
    for (limit, kept) in [(7, true), (6, true), (5, false), (0, false)] {
        let (mut first, mut copy) = copies(limit);
        assert_eq!(
            all(&mut first),
            ["a", "bc", "def", "+", "."],
            "the first attempt sends the whole body"
        );
        assert_eq!(copy.claim(), kept, "{limit}");
        assert_eq!(copy.try_clone().is_some(), kept);
        if kept {
            assert_eq!(all(&mut copy), ["a", "bc", "def", "+", "."]);
        } else {
            assert_eq!(read(&mut copy, 1), ["overtaken"]);
        }
    }
}

#[checks::test]
fn chunk_over_the_limit_is_still_sent() {
    let mut first = ReplayBody::with_limit(Full::new(Bytes::from_static(b"too long")), 3);
    let copy = first.try_clone().expect("a copy");
    let mut polled = task::spawn(first.frame());
    let Poll::Ready(Some(Ok(frame))) = polled.poll() else {
        panic!("no frame")
    };
    assert_eq!(frame.into_data().expect("data"), "too long");
    assert!(!copy.claim());
}

#[checks::test]
fn replay_over_the_limit_is_the_last() {
    let (mut first, mut copy) = copies(3);
    assert_eq!(read(&mut first, 2), ["a", "bc"]);
    assert!(copy.claim());
    let next = copy.try_clone().expect("a copy");
    assert_eq!(all(&mut copy), ["a", "bc", "def", "+", "."]);
    assert!(!next.claim());
    assert_eq!(read(&mut first, 1), ["overtaken"]);
}

#[checks::test]
fn failed_body_is_not_replayed() {
    let steps = vec![data("a"), Step::Error, data("b")];
    let mut first = ReplayBody::new(Source::of(steps, false));
    let mut copy = first.try_clone().expect("a copy");
    assert_eq!(read(&mut first, 2), ["a", "!"]);
    assert!(!copy.claim());
    assert!(copy.try_clone().is_none());
    assert_eq!(read(&mut copy, 2), ["a", "broken"]);
    assert!(!copy.is_end_stream(), "a failed body has not ended");
}

#[checks::test]
fn copy_of_a_partly_read_body_sends_the_rest() {
    let mut body = ReplayBody::new(Source::of(three(), true));
    assert_eq!(read(&mut body, 1), ["a"]);
    let mut copy = body.try_clone().expect("a copy");
    assert_eq!(copy.size_hint().exact(), Some(5));
    assert_eq!(all(&mut body), ["bc", "def", "+", "."]);
    assert_eq!(all(&mut copy), ["bc", "def", "+", "."]);
}

#[checks::test]
fn empty_body_stays_empty() {
    let mut body = ReplayBody::with_limit(Empty::<Bytes>::new(), 0);
    let copy = body.try_clone().expect("a copy");
    assert!(body.is_end_stream() && copy.is_end_stream());
    assert!(copy.claim());
    assert_eq!(copy.size_hint().exact(), Some(0));
}

/// A chunk that records when it is freed.
struct Watched(&'static [u8], Arc<AtomicBool>);

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.1.store(true, SeqCst);
    }
}

#[checks::test]
fn frames_are_kept_only_for_a_copy() {
    for (limit, with_copy, kept) in [(9, true, true), (9, false, false), (8, true, false)] {
        let gone = Arc::new(AtomicBool::new(false));
        let chunk = Bytes::from_owner(Watched(b"nine byte", gone.clone()));
        let mut body = ReplayBody::with_limit(Full::new(chunk), limit);
        let copy = with_copy.then(|| body.try_clone());
        let frame = task::spawn(body.frame()).poll();
        assert!(matches!(frame, Poll::Ready(Some(Ok(_)))));
        drop(frame);
        assert_eq!(gone.load(SeqCst), !kept, "{limit} {with_copy}");
        drop(copy);
    }
}
