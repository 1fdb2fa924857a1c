use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::gare_body::{Held, Rest};
use super::{GareBody, into_bytes};

/// Reads a body ahead, as far as it may be inspected.
pub(crate) struct Inspection<B: Body> {
    body: Pin<Box<B>>,
    frames: VecDeque<Frame<Bytes>>,
    size: usize,
    limit: usize,
    timeout: Duration,
    hint: SizeHint,
    /// Set when the body first makes us wait.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The body to give back, and its text if all of it could be read.
pub(crate) struct Inspected<B: Body> {
    pub(crate) text: Option<Bytes>,
    pub(crate) body: GareBody<B>,
}

impl<B: Body> Inspection<B> {
    pub(crate) fn new(body: B, limit: usize, timeout: Duration) -> Self {
        Self {
            hint: body.size_hint(),
            body: Box::pin(body),
            frames: VecDeque::new(),
            size: 0,
            limit,
            timeout,
            alarm: None,
        }
    }

    /// Reads on; `None` while there is more to wait for. Never fails: a body
    /// that does is given back with its error where it occurred.
    pub(crate) fn poll_read(
        mut self: Box<Self>,
        cx: &mut Context<'_>,
    ) -> Result<Inspected<B>, Box<Self>> {
        loop {
            let frame = match self.body.as_mut().poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending if self.is_overdue(cx) => return Ok(self.give_up()),
                Poll::Pending => return Err(self),
            };
            match frame {
                None => {
                    let text = Some(self.text());
                    return Ok(self.give_back(text, |_| Rest::Ended));
                }
                Some(Err(error)) => return Ok(self.give_back(None, |_| Rest::Failed(error))),
                Some(Ok(frame)) => {
                    let frame = into_bytes(frame);
                    // An empty frame counts too: there may be any number of them.
                    let size = frame.data_ref().map_or(0, |data| data.len().max(1));
                    self.size = self.size.saturating_add(size);
                    self.frames.push_back(frame);
                    if self.size > self.limit {
                        return Ok(self.give_up());
                    }
                }
            }
        }
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

    fn text(&self) -> Bytes {
        let mut data = self.frames.iter().filter_map(Frame::data_ref);
        match (data.next(), data.next()) {
            (None, _) => Bytes::new(),
            (Some(only), None) => only.clone(),
            _ => self
                .frames
                .iter()
                .filter_map(Frame::data_ref)
                .flat_map(|data| data.iter().copied())
                .collect(),
        }
    }

    fn give_up(self) -> Inspected<B> {
        self.give_back(None, Rest::Streaming)
    }

    fn give_back(
        self,
        text: Option<Bytes>,
        rest: impl FnOnce(Pin<Box<B>>) -> Rest<B>,
    ) -> Inspected<B> {
        let held = Held {
            frames: self.frames,
            rest: rest(self.body),
            hint: self.hint,
        };
        Inspected {
            text,
            body: GareBody::inspected(held),
        }
    }
}
