use http::header::AUTHORIZATION;
use http::{Extensions, HeaderValue, Method, Request, Uri, Version};

use super::ReplayableBody;
use crate::kept_headers::KeptHeaders;
use crate::reauth::{Asked, Exchange, UsualHeaders};

/// What is kept of a request while it is under way: one is made of every request, and few are used.
pub(super) struct Kept<B> {
    method: Method,
    uri: Uri,
    version: Version,
    /// The `Authorization` that it came with.
    presented: Option<HeaderValue>,
    /// None where the body cannot be sent a second time; then nothing is kept of what follows.
    body: Option<B>,
    headers: KeptHeaders,
    extensions: Extensions,
}

impl<B: ReplayableBody> Kept<B> {
    #[inline]
    pub(super) fn of(request: &Request<B>, exchange: &Exchange) -> Self {
        let all = request.headers();
        let body = request.body().try_clone();
        let (headers, presented, extensions) = if body.is_some() {
            let (headers, presented) = KeptHeaders::of(all, exchange.usual_headers(all));
            (headers, presented, request.extensions().clone())
        } else {
            let presented = all.get(AUTHORIZATION);
            (KeptHeaders::default(), presented, Extensions::new())
        };
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            presented: presented.cloned(),
            body,
            headers,
            extensions,
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The `Authorization` that the request came with.
    pub(super) fn presented(&self) -> Option<&HeaderValue> {
        self.presented.as_ref()
    }

    pub(super) fn asked(&self) -> Asked {
        Asked {
            method: self.method.clone(),
            uri: self.uri.clone(),
            presented: self.presented.clone(),
        }
    }

    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.body.as_ref().is_some_and(B::claim)
    }

    /// Whether there is a body to be claimed.
    pub(super) fn is_replayable(&self) -> bool {
        self.body.is_some()
    }

    /// The request with another credential, if it can be sent again; and what is kept of it for another time.
    pub(super) fn with(
        mut self,
        authorization: HeaderValue,
        usual: &UsualHeaders,
    ) -> Option<(Request<B>, Self)> {
        let body = self.body.take().filter(B::claim)?;
        self.body = body.try_clone();
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.with(authorization, usual);
        *request.extensions_mut() = self.extensions.clone();
        Some((request, self))
    }
}
