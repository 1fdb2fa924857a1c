use std::future::poll_fn;

use http::header::AUTHORIZATION;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version,
};
use http_body::Body;
use tower_service::Service;

use super::ReplayableBody;
use super::follow::Client;

/// The headers of a request. Of its `Authorization`, which a replay replaces, only the place is kept.
pub(crate) struct KeptHeaders(Vec<(HeaderName, HeaderValue)>);

impl KeptHeaders {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut kept = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            let value = if *name == AUTHORIZATION {
                HeaderValue::from_static("")
            } else {
                value.clone()
            };
            kept.push((name.clone(), value));
        }
        Self(kept)
    }

    pub(crate) fn with(&self, authorization: HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(self.0.len() + 1);
        for (name, value) in &self.0 {
            headers.append(name, value.clone());
        }
        authorize(&mut headers, authorization);
        headers
    }
}

/// Replaces `Authorization`, however many there are.
pub(crate) fn authorize(headers: &mut HeaderMap, mut authorization: HeaderValue) {
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
}

/// What is kept of a request while it is under way, to send it again.
pub(super) struct Kept<B> {
    version: Version,
    headers: KeptHeaders,
    extensions: Extensions,
    body: B,
}

impl<B: ReplayableBody> Kept<B> {
    /// `None` where the body cannot be sent a second time.
    pub(super) fn of(request: &mut Request<B>) -> Option<Self> {
        Some(Self {
            body: request.body_mut().try_clone()?,
            version: request.version(),
            headers: KeptHeaders::of(request.headers()),
            extensions: request.extensions().clone(),
        })
    }
}

/// A tower service, and the request that it may have to be sent again.
pub(super) struct Replays<S, B> {
    pub(super) service: S,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// `None` where the body cannot be sent a second time.
    pub(super) kept: Option<Kept<B>>,
}

impl<S, B, ResB> Client for Replays<S, B>
where
    S: Service<Request<B>, Response = Response<ResB>, Future: Send> + Send,
    B: ReplayableBody + Send,
    ResB: Body<Error: Send> + Send,
{
    type Request = Request<B>;
    type Body = ResB;
    type Error = S::Error;

    fn method(&self) -> &Method {
        &self.method
    }

    fn is_replayable(&self) -> bool {
        self.kept.is_some()
    }

    fn claim(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.body.claim())
    }

    fn again(&mut self, authorization: HeaderValue) -> Option<Request<B>> {
        if !self.claim() {
            return None;
        }
        let mut kept = self.kept.take()?;
        let copy = kept.body.try_clone();
        let mut request = Request::new(kept.body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = kept.version;
        *request.headers_mut() = kept.headers.with(authorization);
        *request.extensions_mut() = kept.extensions.clone();
        self.kept = copy.map(|body| Kept { body, ..kept });
        Some(request)
    }

    async fn send(&mut self, request: Request<B>) -> Result<Response<ResB>, S::Error> {
        poll_fn(|cx| self.service.poll_ready(cx)).await?;
        self.service.call(request).await
    }
}
