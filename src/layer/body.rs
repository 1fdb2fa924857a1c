use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::time::Sleep;

pin_project! {
    /// The response body of a [`GareService`](super::GareService).
    ///
    /// What the caller reads from it is what it would have read from the inner
    /// service's body: what was looked at comes first, the rest streams on.
    pub struct GareBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B>
    where
        B: Body,
    {
        Untouched { #[pin] body: B },
        Inspected { held: Held<B> },
    }
}

/// Frames that were read ahead, and what comes after them.
struct Held<B: Body> {
    frames: VecDeque<Frame<Bytes>>,
    rest: Rest<B>,
}

enum Rest<B: Body> {
    Streaming(Pin<Box<B>>),
    Failed(B::Error),
    Ended,
}

impl<B: Body> GareBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self {
            kind: Kind::Untouched { body },
        }
    }
}

fn into_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B: Body> Body for GareBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let held = match self.project().kind.project() {
            KindProjection::Untouched { body } => {
                return body
                    .poll_frame(cx)
                    .map(|frame| frame.map(|frame| frame.map(into_bytes)));
            }
            KindProjection::Inspected { held } => held,
        };
        if let Some(frame) = held.frames.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Rest::Streaming(body) = &mut held.rest {
            let frame = ready!(body.as_mut().poll_frame(cx));
            if frame.is_none() {
                held.rest = Rest::Ended;
            }
            return Poll::Ready(frame.map(|frame| frame.map(into_bytes)));
        }
        match std::mem::replace(&mut held.rest, Rest::Ended) {
            Rest::Failed(error) => Poll::Ready(Some(Err(error))),
            Rest::Streaming(_) | Rest::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Untouched { body } => body.is_end_stream(),
            Kind::Inspected { held } => {
                held.frames.is_empty()
                    && match &held.rest {
                        Rest::Streaming(body) => body.is_end_stream(),
                        Rest::Failed(_) => false,
                        Rest::Ended => true,
                    }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let held = match &self.kind {
            Kind::Untouched { body } => return body.size_hint(),
            Kind::Inspected { held } => held,
        };
        let mut hint = match &held.rest {
            Rest::Streaming(body) => body.size_hint(),
            Rest::Failed(_) => SizeHint::default(),
            Rest::Ended => SizeHint::with_exact(0),
        };
        let read: usize = held
            .frames
            .iter()
            .filter_map(Frame::data_ref)
            .map(Bytes::len)
            .sum();
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(hint.lower().saturating_add(read));
        hint
    }
}

impl<B: Body> fmt::Debug for GareBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GareBody")
            .field("size_hint", &self.size_hint())
            .finish_non_exhaustive()
    }
}

/// Reads a body ahead, as far as it may be inspected.
pub(super) struct Inspection<B: Body> {
    body: Pin<Box<B>>,
    frames: VecDeque<Frame<Bytes>>,
    size: usize,
    limit: usize,
    timeout: Duration,
    /// Set when the body first makes us wait.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The body to give back, and its text if all of it could be read.
pub(super) struct Inspected<B: Body> {
    pub(super) text: Option<Bytes>,
    pub(super) body: GareBody<B>,
}

impl<B: Body> Inspection<B> {
    pub(super) fn new(body: B, limit: usize, timeout: Duration) -> Self {
        Self {
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
    pub(super) fn poll_read(
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
                    self.size = self
                        .size
                        .saturating_add(frame.data_ref().map_or(0, Bytes::len));
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
        };
        Inspected {
            text,
            body: GareBody {
                kind: Kind::Inspected { held },
            },
        }
    }
}
