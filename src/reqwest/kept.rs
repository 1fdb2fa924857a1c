use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use http_body::Body as _;
use reqwest::{Body, Request};

use super::answer;
use crate::body::{ReplayBody, ReplayableBody};
use crate::kept_headers::KeptHeaders;
use crate::reauth::{Asked, Exchange, UsualHeaders};

/// A request as it came, to be told of and to be sent again.
pub(super) struct Kept {
    /// Without its headers, and without a body that is a stream.
    request: Request,
    /// The `Authorization` that it came with.
    presented: Option<HeaderValue>,
    again: Option<Again>,
}

/// What it takes to send the request again, beside that.
struct Again {
    headers: KeptHeaders,
    stream: Option<ReplayBody<Body>>,
}

impl Kept {
    /// A stream can be sent again where there is a `limit`: so many bytes of it are kept.
    pub(super) fn of(request: &mut Request, exchange: &Exchange, limit: Option<usize>) -> Self {
        // To clone a request is the only way to have all of it; its headers are kept for less.
        let headers = std::mem::take(request.headers_mut());
        let (kept, stream) = match request.try_clone() {
            Some(kept) => (kept, Some(None)),
            None => {
                let (kept, stream) = split(request, limit);
                (kept, stream.map(Some))
            }
        };
        let (again, presented) = match stream {
            Some(stream) => {
                let usual = exchange.usual_headers(&headers);
                let (headers, presented) = KeptHeaders::of(&headers, usual);
                (Some(Again { headers, stream }), presented)
            }
            None => (None, headers.get(AUTHORIZATION)),
        };
        let presented = presented.cloned();
        *request.headers_mut() = headers;
        Self {
            request: kept,
            presented,
            again,
        }
    }

    pub(super) fn method(&self) -> &Method {
        self.request.method()
    }

    /// The `Authorization` that the request came with.
    pub(super) fn presented(&self) -> Option<&HeaderValue> {
        self.presented.as_ref()
    }

    pub(super) fn asked(&self) -> Asked {
        Asked {
            method: self.request.method().clone(),
            // Where reqwest and `http` disagree about what a URL is, there is nobody to ask.
            uri: answer::uri(self.request.url()).unwrap_or_default(),
            presented: self.presented.clone(),
        }
    }

    /// Whether there is a body to be claimed.
    pub(super) fn is_replayable(&self) -> bool {
        self.again.is_some()
    }

    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.again
            .as_ref()
            .is_some_and(|again| again.stream.as_ref().is_none_or(ReplayBody::claim))
    }

    /// The request with another credential, if it can be sent again; and what is kept of it for another time.
    pub(super) fn with(
        mut self,
        authorization: HeaderValue,
        usual: &UsualHeaders,
    ) -> Option<(Request, Self)> {
        if !self.claim() {
            return None;
        }
        let Again { headers, stream } = self.again.take()?;
        let mut request = self.request.try_clone()?;
        *request.headers_mut() = headers.with(authorization, usual);
        self.again = match stream {
            None => Some(Again {
                headers,
                stream: None,
            }),
            Some(stream) => {
                let copy = stream.try_clone();
                *request.body_mut() = Some(Body::wrap(stream));
                copy.map(|stream| Again {
                    headers,
                    stream: Some(stream),
                })
            }
        };
        Some((request, self))
    }
}

/// A copy of a request without its body, which cannot be cloned, and the body's copy if it can be kept as it is sent.
fn split(request: &mut Request, limit: Option<usize>) -> (Request, Option<ReplayBody<Body>>) {
    let body = request.body_mut().take().unwrap_or_default();
    let copy = request
        .try_clone()
        .unwrap_or_else(|| Request::new(request.method().clone(), request.url().clone()));
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
    *request.body_mut() = Some(body);
    (copy, stream)
}
