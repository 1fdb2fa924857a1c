use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::ahead::Ahead;
use super::gare_body::{Held, Rest};
use super::{GareBody, into_bytes};

/// Reads a body ahead, as far as it may be inspected, and has it to be given back.
pub(crate) struct Inspection<B: Body> {
    held: Held<B>,
    size: usize,
    limit: usize,
    timeout: Duration,
    /// Set when the body first makes us wait.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<B: Body> Inspection<B> {
    pub(crate) fn new(body: B, limit: usize, timeout: Duration) -> Self {
        Self {
            held: Held {
                ahead: Ahead::default(),
                hint: body.size_hint(),
                rest: Rest::Streaming(Box::pin(body)),
            },
            size: 0,
            limit,
            timeout,
            alarm: None,
        }
    }

    /// Reads on; the text, if all of it could be read. Never fails: a body that does is given back with its error where it
    /// occurred.
    pub(crate) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let text = ready!(self.poll_to_the_end(cx));
        self.alarm = None;
        Poll::Ready(text)
    }

    fn poll_to_the_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while let Rest::Streaming(body) = &mut self.held.rest {
            let frame = match body.as_mut().poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending if self.is_overdue(cx) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            let frame = match frame {
                None => {
                    self.held.rest = Rest::Ended;
                    return Poll::Ready(Some(self.held.ahead.text()));
                }
                Some(Err(error)) => {
                    self.held.rest = Rest::Failed(error);
                    break;
                }
                Some(Ok(frame)) => into_bytes(frame),
            };
            // An empty frame counts too: there may be any number of them.
            let size = frame.data_ref().map_or(0, |data| data.len().max(1));
            self.size = self.size.saturating_add(size);
            self.held.ahead.push(frame);
            if self.size > self.limit {
                break;
            }
        }
        Poll::Ready(None)
    }

    pub(crate) fn give_back(self) -> GareBody<B> {
        GareBody::inspected(self.held)
    }

    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        // Without a runtime there is no clock, and none of its bodies to wait for.
        if self.alarm.is_none() && Handle::try_current().is_err() {
            return false;
        }
        let timeout = self.timeout;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        alarm.as_mut().poll(cx).is_ready()
    }
}

/// What the adapter of reqwest takes: the body in the type that it gives back.
#[cfg(feature = "reqwest")]
pub(crate) struct Inspected<B: Body> {
    pub(crate) text: Option<Bytes>,
    pub(crate) body: GareBody<B>,
}

#[cfg(feature = "reqwest")]
impl<B: Body> Inspection<B> {
    pub(crate) fn poll_read(
        mut self: Box<Self>,
        cx: &mut Context<'_>,
    ) -> Result<Inspected<B>, Box<Self>> {
        let Poll::Ready(text) = self.poll_text(cx) else {
            return Err(self);
        };
        let body = self.give_back();
        Ok(Inspected { text, body })
    }
}
