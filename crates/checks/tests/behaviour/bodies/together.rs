//! `ReplayBody` while an earlier attempt is still being sent.

use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use globus_gare::layer::{ReplayBody, ReplayableBody};
use http_body::{Body, Frame};
use tokio_test::task::{self, Spawn};

use super::source::{Broken, Hand, Source, Step, data};

type Upload = Spawn<ReplayBody<Source>>;

fn pair(limit: usize) -> (Upload, Upload, Hand) {
    let (source, hand) = Source::in_hand();
    let mut first = ReplayBody::with_limit(source, limit);
    let copy = first.try_clone().expect("a copy");
    (task::spawn(first), task::spawn(copy), hand)
}

type Polled = Poll<Option<Result<Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>>>;

fn poll(body: &mut Upload) -> Polled {
    body.enter(|cx, body| Pin::new(body.get_mut()).poll_frame(cx))
}

fn text(polled: Polled) -> String {
    match polled {
        Poll::Pending => "~".to_owned(),
        Poll::Ready(None) => ".".to_owned(),
        Poll::Ready(Some(Err(error))) => error.to_string(),
        Poll::Ready(Some(Ok(frame))) => {
            String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text")
        }
    }
}

fn is_overtaken(polled: Polled) -> bool {
    let Poll::Ready(Some(Err(error))) = polled else {
        return false;
    };
    error.to_string().contains("a later attempt sends")
}

#[checks::test]
fn both_attempts_read_the_same_within_the_limit() {
    let (mut first, mut copy, hand) = pair(3);
    assert!(copy.claim());
    hand.give(data("ab"));
    assert_eq!(text(poll(&mut first)), "ab");
    assert_eq!(text(poll(&mut copy)), "ab");
    hand.give(data("c"));
    assert_eq!(text(poll(&mut copy)), "c");
    assert_eq!(text(poll(&mut first)), "c");
    hand.end();
    assert_eq!(text(poll(&mut first)), ".");
    assert_eq!(text(poll(&mut copy)), ".");
}

#[checks::test]
fn both_attempts_are_woken_in_either_order() {
    let (mut first, mut copy, hand) = pair(9);
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut copy).is_pending());
    hand.give(data("a"));
    assert!(
        copy.is_woken(),
        "the source wakes the attempt that polled last"
    );
    assert_eq!(text(poll(&mut copy)), "a");
    assert!(first.is_woken(), "the polled attempt wakes the other");
    assert_eq!(text(poll(&mut first)), "a");
}

#[checks::test]
fn dropped_attempt_wakes_the_other() {
    let (mut first, mut copy, hand) = pair(9);
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut copy).is_pending());
    drop(copy);
    assert!(
        first.is_woken(),
        "the source would have woken the dropped attempt"
    );
    assert!(poll(&mut first).is_pending());
    hand.give(data("a"));
    assert!(first.is_woken());
}

#[checks::test]
fn only_the_replay_reads_beyond_the_limit() {
    let (mut first, mut copy, hand) = pair(3);
    hand.give(data("abc"));
    assert_eq!(text(poll(&mut first)), "abc");
    assert!(copy.claim());
    hand.give(data("def"));
    assert!(is_overtaken(poll(&mut first)), "cut short, not at its end");
    assert!(is_overtaken(poll(&mut first)));
    assert!(copy.claim(), "a claim lasts");
    assert_eq!(text(poll(&mut copy)), "abc");
    assert_eq!(text(poll(&mut copy)), "def");
    hand.give(data("g"));
    assert_eq!(text(poll(&mut copy)), "g");
    hand.end();
    assert_eq!(text(poll(&mut copy)), ".");
    assert!(!first.is_end_stream(), "its body is not whole");
    assert_eq!(first.size_hint().exact(), None);
}

#[checks::test]
fn first_attempt_continues_without_a_claim() {
    let (mut first, copy, hand) = pair(3);
    hand.give(data("abcd"));
    assert_eq!(text(poll(&mut first)), "abcd");
    assert!(!copy.claim());
    hand.give(data("e"));
    assert_eq!(text(poll(&mut first)), "e");
}

#[checks::test]
fn replay_gets_the_error_of_the_body() {
    let (mut first, mut copy, hand) = pair(9);
    assert!(copy.claim());
    hand.give(Step::Error);
    assert!(is_overtaken(poll(&mut first)));
    assert!(!copy.claim(), "a broken body cannot be claimed");
    let Poll::Ready(Some(Err(error))) = poll(&mut copy) else {
        panic!("no error")
    };
    assert!(error.is::<Broken>(), "{error}");
}
