use std::future::poll_fn;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version,
};
use http_body::Body;
use tower_service::Service;

use super::ReplayableBody;
use super::follow::Client;
use crate::reauth::{Exchange, GareOptions, Handled};

/// A copy of a request's headers.
pub(crate) struct KeptHeaders(Vec<(HeaderName, HeaderValue)>);

impl KeptHeaders {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut kept = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            kept.push((name.clone(), value.clone()));
        }
        Self(kept)
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        let mut headers = self.0.iter();
        let authorization = headers.find(|(name, _)| *name == AUTHORIZATION);
        authorization.map(|(_, value)| value)
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

/// Sets `Authorization`, and removes the values that the request had.
pub(crate) fn authorize(headers: &mut HeaderMap, mut authorization: HeaderValue) {
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
}

/// A tower service, and a request that it may replay.
pub(super) struct Replays<S, B> {
    pub(super) service: S,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) headers: KeptHeaders,
    pub(super) extensions: Extensions,
    /// The options if the extensions have none.
    pub(super) defaults: Arc<GareOptions>,
    /// `None` if the body cannot be sent again.
    pub(super) body: Option<B>,
}

impl<S, B> Replays<S, B> {
    pub(super) fn exchange(&self, handled: Handled) -> Exchange {
        let request = (&self.method, self.uri.clone());
        let options = self.extensions.get().unwrap_or(&*self.defaults);
        Exchange::new(handled, request, self.headers.authorization(), options)
    }
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

    fn headers_mut(request: &mut Request<B>) -> &mut HeaderMap {
        request.headers_mut()
    }

    fn is_replayable(&self) -> bool {
        self.body.is_some()
    }

    fn claim(&self) -> bool {
        self.body.as_ref().is_some_and(B::claim)
    }

    fn again(&mut self, authorization: HeaderValue) -> Option<Request<B>> {
        if !self.claim() {
            return None;
        }
        let mut body = self.body.take()?;
        self.body = body.try_clone();
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.with(authorization);
        *request.extensions_mut() = self.extensions.clone();
        Some(request)
    }

    async fn send(&mut self, request: Request<B>) -> Result<Response<ResB>, S::Error> {
        poll_fn(|cx| self.service.poll_ready(cx)).await?;
        self.service.call(request).await
    }
}
