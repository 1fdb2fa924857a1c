use http::HeaderValue;
use http::header::AUTHORIZATION;
use http_body::Body as _;
use reqwest::{Body, Request};

use crate::body::{ReplayBody, ReplayableBody};

/// A request as it came, to be sent again.
pub(super) struct Template {
    /// Whole but for a stream.
    request: Request,
    stream: Option<ReplayBody<Body>>,
}

impl Template {
    /// `None` where the body cannot be sent a second time. A stream is one of
    /// which up to `limit` bytes are kept, if there is a limit.
    pub(super) fn of(request: &mut Request, limit: Option<usize>) -> Option<Self> {
        if let Some(request) = request.try_clone() {
            return Some(Self {
                request,
                stream: None,
            });
        }
        let body = request.body_mut().take()?;
        let (body, stream) = match limit {
            // What is empty needs no keeping.
            _ if body.is_end_stream() => (body, Some(ReplayBody::with_limit(Body::default(), 0))),
            None => (body, None),
            Some(limit) => {
                let body = ReplayBody::with_limit(body, limit);
                let copy = body.try_clone();
                (Body::wrap(body), copy)
            }
        };
        // Without its body, a request can always be cloned.
        let copy = stream.and_then(|stream| {
            Some(Self {
                request: request.try_clone()?,
                stream: Some(stream),
            })
        });
        *request.body_mut() = Some(body);
        copy
    }

    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.stream.as_ref().is_none_or(ReplayBody::claim)
    }

    /// The request with another credential; a copy stays if one can be made.
    pub(super) fn with(self, authorization: HeaderValue) -> (Request, Option<Self>) {
        let Self {
            mut request,
            stream,
        } = self;
        authorize(&mut request, authorization);
        let copy = match &stream {
            None => request.try_clone().map(|request| (request, None)),
            Some(stream) => request.try_clone().zip(stream.try_clone().map(Some)),
        };
        if let Some(stream) = stream {
            *request.body_mut() = Some(Body::wrap(stream));
        }
        let copy = copy.map(|(request, stream)| Self { request, stream });
        (request, copy)
    }
}

/// Replaces `Authorization`, however many there are.
pub(super) fn authorize(request: &mut Request, mut value: HeaderValue) {
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
}
