use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::ahead::Ahead;
use super::{into_bytes, length, remaining};

pin_project! {
    /// The response body of a [`GareService`](crate::layer::GareService).
    ///
    /// It has the same bytes and trailers as the inner service's body: first the inspected part, in
    /// one frame of data, then the rest.
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
        // Boxed, because few bodies are inspected.
        Inspected { held: Box<Held<B>> },
    }
}

/// Frames that were read ahead, and the rest of the body.
pub(crate) struct Held<B: Body> {
    pub(super) ahead: Ahead,
    pub(super) rest: Rest<B>,
    /// The original hint, less the data returned so far. An exact length that the original did not
    /// have would change the framing of a proxy.
    pub(super) hint: SizeHint,
}

pub(super) enum Rest<B: Body> {
    Streaming(Pin<Box<B>>),
    Failed(B::Error),
    Ended,
}

impl<B: Body> Held<B> {
    /// A body of which nothing was read.
    pub(crate) fn unread(body: B) -> Self {
        Self {
            ahead: Ahead::default(),
            hint: body.size_hint(),
            rest: Rest::Streaming(Box::pin(body)),
        }
    }
}

impl<B: Body> GareBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self {
            kind: Kind::Untouched { body },
        }
    }

    pub(crate) fn inspected(held: Held<B>) -> Self {
        Self {
            kind: Kind::Inspected {
                held: Box::new(held),
            },
        }
    }
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
        if let Some(frame) = held.ahead.pop() {
            let read = frame.data_ref().map_or(0, length);
            held.hint = remaining(&held.hint, read);
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
                held.ahead.is_empty()
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
        match &held.rest {
            Rest::Streaming(body) if held.ahead.is_empty() => body.size_hint(),
            Rest::Ended if held.ahead.is_empty() => SizeHint::with_exact(0),
            _ => remaining(&held.hint, 0),
        }
    }
}

impl<B: Body> fmt::Debug for GareBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GareBody")
            .field("size_hint", &self.size_hint())
            .finish_non_exhaustive()
    }
}
