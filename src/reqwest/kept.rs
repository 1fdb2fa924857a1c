use http::{HeaderValue, Method, Response, Uri};
use http_body::Body as _;
use reqwest::{Body, Request};
use reqwest_middleware::{Error, Next};

use super::answer;
use crate::body::{ReplayBody, ReplayableBody};
use crate::layer::{Client, KeptHeaders};
use crate::reauth::ResponseUrl;

/// What is kept of a request, to send it again.
pub(super) struct Kept {
    /// Without its headers, and without a body that is a stream.
    request: Request,
    headers: KeptHeaders,
    stream: Option<ReplayBody<Body>>,
}

impl Kept {
    /// A stream can be sent again where there is a `limit`: so many bytes of it are kept.
    pub(super) fn of(request: &mut Request, limit: Option<usize>) -> Option<Self> {
        // The headers are kept apart: a clone of them would keep the credential too.
        let headers = std::mem::take(request.headers_mut());
        let (kept, stream) = match request.try_clone() {
            Some(kept) => (Some(kept), None),
            None => keep_stream(request, limit).unzip(),
        };
        let kept = kept.map(|request| Self {
            request,
            headers: KeptHeaders::of(&headers),
            stream,
        });
        *request.headers_mut() = headers;
        kept
    }
}

/// A copy of a request without its body, which is a stream, and a copy of the body that is kept as it is sent.
fn keep_stream(request: &mut Request, limit: Option<usize>) -> Option<(Request, ReplayBody<Body>)> {
    let body = request.body_mut().take().unwrap_or_default();
    let copy = request
        .try_clone()
        .unwrap_or_else(|| Request::new(request.method().clone(), request.url().clone()));
    let (body, stream) = match limit {
        // What is empty needs no keeping.
        _ if body.is_end_stream() => (body, Some(ReplayBody::with_limit(Body::default(), 0))),
        None => (body, None),
        Some(limit) => {
            let mut body = ReplayBody::with_limit(body, limit);
            let copy = body.try_clone();
            (Body::wrap(body), copy)
        }
    };
    *request.body_mut() = Some(body);
    Some((copy, stream?))
}

/// The rest of the client, and the request that it may have to send again.
pub(super) struct Replays<'a> {
    pub(super) next: Next<'a>,
    pub(super) extensions: &'a mut http::Extensions,
    pub(super) method: Method,
    pub(super) kept: Option<Kept>,
}

impl Client for Replays<'_> {
    type Request = Request;
    type Body = Body;
    type Error = Error;

    fn method(&self) -> &Method {
        &self.method
    }

    fn is_replayable(&self) -> bool {
        self.kept.is_some()
    }

    fn claim(&self) -> bool {
        self.kept
            .as_ref()
            .is_some_and(|kept| kept.stream.as_ref().is_none_or(ReplayBody::claim))
    }

    fn again(&mut self, authorization: HeaderValue) -> Option<Request> {
        if !self.claim() {
            return None;
        }
        let Kept {
            request: kept,
            headers,
            stream,
        } = self.kept.take()?;
        let mut request = kept.try_clone()?;
        *request.headers_mut() = headers.with(authorization);
        let is_stream = stream.is_some();
        let stream = stream.and_then(|mut stream| {
            let copy = stream.try_clone();
            *request.body_mut() = Some(Body::wrap(stream));
            copy
        });
        if stream.is_some() || !is_stream {
            self.kept = Some(Kept {
                request: kept,
                headers,
                stream,
            });
        }
        Some(request)
    }

    async fn send(&mut self, request: Request) -> Result<Response<Body>, Error> {
        let response = self.next.clone().run(request, self.extensions).await?;
        Ok(answer::into_http(response))
    }

    fn sources(response: &Response<Body>) -> Vec<Uri> {
        let told = ResponseUrl::told(response.extensions()).cloned();
        let url = answer::url(response).map(answer::uri);
        told.into_iter().chain([url.unwrap_or_default()]).collect()
    }
}
