use http::header::AUTHORIZATION;
use http::{Extensions, HeaderValue, Request, Version};

use super::ReplayableBody;
use super::kept_headers::KeptHeaders;
use crate::reauth::Exchange;

/// What it takes to send a request again, beside the method and the URI that the exchange has.
///
/// One is made of every request, and few are used.
pub(super) struct Template<B> {
    version: Version,
    headers: KeptHeaders,
    extensions: Extensions,
    body: B,
}

impl<B: ReplayableBody> Template<B> {
    /// The template, `None` where the body cannot be sent a second time, and the credential that the request came with.
    #[inline]
    pub(super) fn of(request: &Request<B>) -> (Option<Self>, Option<HeaderValue>) {
        let kept = request
            .body()
            .try_clone()
            .and_then(|body| Some((body, KeptHeaders::of(request.headers())?)));
        let Some((body, (headers, credential))) = kept else {
            return (None, request.headers().get(AUTHORIZATION).cloned());
        };
        let template = Self {
            version: request.version(),
            headers,
            extensions: request.extensions().clone(),
            body,
        };
        (Some(template), credential)
    }

    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.body.claim()
    }

    /// The request with another credential; a copy stays if one can be made.
    pub(super) fn with(
        self,
        authorization: HeaderValue,
        exchange: &Exchange,
    ) -> (Request<B>, Option<Self>) {
        let copy = self.body.try_clone();
        let mut request = Request::new(self.body);
        *request.method_mut() = exchange.method().clone();
        *request.uri_mut() = exchange.uri().clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.read();
        *request.extensions_mut() = self.extensions.clone();
        authorize(&mut request, authorization);
        let copy = copy.map(|body| Self {
            version: self.version,
            headers: self.headers,
            extensions: self.extensions,
            body,
        });
        (request, copy)
    }
}

/// Replaces `Authorization`, however many there are.
pub(super) fn authorize<B>(request: &mut Request<B>, mut value: HeaderValue) {
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
}
