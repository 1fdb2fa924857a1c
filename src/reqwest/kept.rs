use http::{HeaderMap, HeaderValue, Response, Uri};
use http_body::Body as _;
use reqwest::{Body, Request};
use reqwest_middleware::{Error, Next};

use super::answer;
use crate::body::{ReplayBody, ReplayableBody};
use crate::layer::{Client, KeptHeaders};
use crate::reauth::ResponseUrl;

/// A copy of a request, to send it again.
pub(super) struct Kept {
    pub(super) headers: KeptHeaders,
    /// Without headers, and without a streaming body. `None` if the body cannot be sent again.
    request: Option<Request>,
    stream: Option<ReplayBody<Body>>,
}

impl Kept {
    /// Copies `request`. Up to `limit` bytes of a stream are kept; without a limit it is sent once.
    pub(super) fn of(request: &mut Request, limit: Option<usize>) -> Self {
        // The headers are kept separately, as in the layer.
        let headers = std::mem::take(request.headers_mut());
        let (kept, stream) = match request.try_clone() {
            Some(kept) => (Some(kept), None),
            None => keep_stream(request, limit).unzip(),
        };
        let kept = Self {
            headers: KeptHeaders::of(&headers),
            request: kept,
            stream,
        };
        *request.headers_mut() = headers;
        kept
    }
}

/// A copy of a request without its streaming body, and a copy of the body, whose data is kept while
/// it is sent.
fn keep_stream(request: &mut Request, limit: Option<usize>) -> Option<(Request, ReplayBody<Body>)> {
    let body = request.body_mut().take().unwrap_or_default();
    let copy = request.try_clone();
    let (body, stream) = match limit {
        // Nothing of an empty body needs to be kept.
        _ if body.is_end_stream() => (body, Some(ReplayBody::with_limit(Body::default(), 0))),
        None => (body, None),
        Some(limit) => {
            let mut body = ReplayBody::with_limit(body, limit);
            let copy = body.try_clone();
            (Body::wrap(body), copy)
        }
    };
    *request.body_mut() = Some(body);
    Some((copy?, stream?))
}

/// The rest of the client, and a request that it may replay.
pub(super) struct Replays<'a> {
    pub(super) next: Next<'a>,
    pub(super) extensions: &'a mut http::Extensions,
    pub(super) kept: Kept,
}

impl Client for Replays<'_> {
    type Request = Request;
    type Body = Body;
    type Error = Error;

    fn headers_mut(request: &mut Request) -> &mut HeaderMap {
        request.headers_mut()
    }

    fn is_replayable(&self) -> bool {
        self.kept.request.is_some()
    }

    fn claim(&self) -> bool {
        self.is_replayable() && self.kept.stream.as_ref().is_none_or(ReplayBody::claim)
    }

    fn again(&mut self, authorization: HeaderValue) -> Option<Request> {
        if !self.claim() {
            return None;
        }
        let mut request = self.kept.request.as_ref()?.try_clone()?;
        *request.headers_mut() = self.kept.headers.with(authorization);
        if let Some(mut stream) = self.kept.stream.take() {
            self.kept.stream = stream.try_clone();
            if self.kept.stream.is_none() {
                self.kept.request = None;
            }
            *request.body_mut() = Some(Body::wrap(stream));
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
