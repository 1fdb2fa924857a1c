use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, SizeHint};
use tokio::time::Sleep;

use super::ahead::Ahead;
use super::gare_body::{Held, Rest};
use super::into_bytes;
use crate::reauth::TOO_LONG;
use crate::runtime;

/// Reads a body ahead, up to a limit of bytes and time.
pub(crate) struct Inspection<B: Body> {
    body: Pin<Box<B>>,
    ahead: Ahead,
    timeout: Duration,
    hint: SizeHint,
    /// Set when the body is first pending. `Some(None)` if there is no timer.
    alarm: Option<Option<Pin<Box<Sleep>>>>,
}

/// The end of the reading.
enum End<E> {
    Whole,
    Failed(E),
    GivenUp,
}

impl<B: Body> Inspection<B> {
    pub(crate) fn new(body: B, limit: usize, timeout: Duration) -> Self {
        Self {
            hint: body.size_hint(),
            body: Box::pin(body),
            ahead: Ahead::new(limit),
            timeout,
            alarm: None,
        }
    }

    /// Reads the body. Returns its text, or the reason why it was not read to its end, and the body
    /// to give to the caller.
    pub(crate) async fn read(mut self) -> (Result<Bytes, &'static str>, Held<B>) {
        let end = poll_fn(|cx| self.poll_end(cx)).await;
        self.give_back(end)
    }

    /// Reads the body without waiting. Returns its text if all of it is ready, and the body to give
    /// to the caller.
    pub(crate) fn read_ready(mut self, cx: &mut Context<'_>) -> (Option<Bytes>, Held<B>) {
        // The caller polls the rest of the body, and so sets its own waker.
        self.alarm = Some(None);
        let end = match self.poll_end(cx) {
            Poll::Ready(end) => end,
            Poll::Pending => End::GivenUp,
        };
        let (text, held) = self.give_back(end);
        (text.ok(), held)
    }

    /// Reads to the end, the limit or the error. [`give_back`](Self::give_back) puts an error back
    /// in its place.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End<B::Error>> {
        loop {
            let frame = match self.body.as_mut().poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending if self.is_overdue(cx) => return Poll::Ready(End::GivenUp),
                Poll::Pending => return Poll::Pending,
            };
            let frame = match frame {
                None => return Poll::Ready(End::Whole),
                Some(Err(error)) => return Poll::Ready(End::Failed(error)),
                Some(Ok(frame)) => into_bytes(frame),
            };
            self.ahead.push(frame);
            if self.ahead.exceeds_limit() {
                return Poll::Ready(End::GivenUp);
            }
        }
    }

    fn give_back(mut self, end: End<B::Error>) -> (Result<Bytes, &'static str>, Held<B>) {
        let text = match &end {
            End::Whole => Ok(self.ahead.text()),
            End::Failed(_) => Err("the body failed"),
            End::GivenUp if self.ahead.exceeds_limit() => Err(TOO_LONG),
            End::GivenUp => Err("the body did not come within inspect_timeout"),
        };
        let held = Held {
            ahead: self.ahead,
            rest: match end {
                End::Whole => Rest::Ended,
                End::Failed(error) => Rest::Failed(error),
                End::GivenUp => Rest::Streaming(self.body),
            },
            hint: self.hint,
        };
        (text, held)
    }

    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let timeout = self.timeout;
        let set = || runtime::has_timer().then(|| Box::pin(tokio::time::sleep(timeout)));
        let alarm = self.alarm.get_or_insert_with(set);
        alarm
            .as_mut()
            .is_some_and(|alarm| alarm.as_mut().poll(cx).is_ready())
    }
}
