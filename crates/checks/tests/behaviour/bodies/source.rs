//! A body whose frames the test sends one by one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Vec<u8>),
    Trailers,
    Error,
    /// Returns `Pending` once, and wakes the task.
    Yield,
}

/// Sends the frames of a [`Source`].
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    steps: VecDeque<Step>,
    open: bool,
    waker: Option<Waker>,
}

/// A body of frames from a [`Hand`].
pub(crate) struct Source {
    hand: Hand,
    length: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the source broke")
    }
}

impl std::error::Error for Broken {}

impl Hand {
    pub(crate) fn give(&self, step: Step) {
        let mut inner = self.0.lock().expect("no panic");
        inner.steps.push_back(step);
        if let Some(waker) = inner.waker.take() {
            drop(inner);
            waker.wake();
        }
    }

    pub(crate) fn end(&self) {
        let mut inner = self.0.lock().expect("no panic");
        inner.open = false;
        if let Some(waker) = inner.waker.take() {
            drop(inner);
            waker.wake();
        }
    }
}

impl Source {
    /// A body of these steps, with a known length or without.
    pub(crate) fn of(steps: Vec<Step>, sized: bool) -> Self {
        let data = steps.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            _ => 0,
        });
        let length = sized.then(|| data.sum());
        let hand = Hand::default();
        hand.0.lock().expect("no panic").steps = steps.into();
        Self { hand, length }
    }

    /// A body of unknown length, and the hand that sends its frames.
    pub(crate) fn in_hand() -> (Self, Hand) {
        let hand = Hand::default();
        hand.0.lock().expect("no panic").open = true;
        let source = Self {
            hand: hand.clone(),
            length: None,
        };
        (source, hand)
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let hand = self.hand.clone();
        let mut inner = hand.0.lock().expect("no panic");
        Poll::Ready(match inner.steps.pop_front() {
            Some(Step::Data(data)) => {
                if let Some(length) = &mut self.length {
                    *length -= data.len() as u64;
                }
                Some(Ok(Frame::data(Bytes::from(data))))
            }
            Some(Step::Trailers) => {
                let trailers = HeaderMap::from_iter([(
                    http::HeaderName::from_static("x-sum"),
                    http::HeaderValue::from_static("right"),
                )]);
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Step::Error) => Some(Err(Broken)),
            Some(Step::Yield) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            None if inner.open => {
                inner.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

pub(crate) fn data(text: &str) -> Step {
    Step::Data(text.as_bytes().to_vec())
}
