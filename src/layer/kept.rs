use http::header::AUTHORIZATION;
use http::{Extensions, HeaderValue, Method, Request, Uri, Version};

use super::ReplayableBody;
use crate::kept_headers::KeptHeaders;
use crate::reauth::Asked;

/// What is kept of a request while it is under way: one is made of every request, and few are used.
pub(super) struct Kept<B> {
    method: Method,
    uri: Uri,
    presented: Option<HeaderValue>,
    /// None where the body cannot be sent a second time.
    template: Option<Template<B>>,
}

/// What it takes to send the request again, beside that.
struct Template<B> {
    version: Version,
    headers: KeptHeaders,
    extensions: Extensions,
    body: B,
}

impl<B: ReplayableBody> Kept<B> {
    #[inline]
    pub(super) fn of(request: &Request<B>) -> Self {
        let kept = request
            .body()
            .try_clone()
            .and_then(|body| Some((body, KeptHeaders::of(request.headers())?)));
        let (template, presented) = match kept {
            Some((body, (headers, presented))) => {
                let template = Template {
                    version: request.version(),
                    headers,
                    extensions: request.extensions().clone(),
                    body,
                };
                (Some(template), presented)
            }
            None => (None, request.headers().get(AUTHORIZATION).cloned()),
        };
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            presented,
            template,
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
        self.template
            .as_ref()
            .is_some_and(|template| template.body.claim())
    }

    /// Whether there is a body to be claimed.
    pub(super) fn is_replayable(&self) -> bool {
        self.template.is_some()
    }

    /// The request with another credential, if it can be sent again; and what is kept of it for another time.
    pub(super) fn with(mut self, authorization: HeaderValue) -> Option<(Request<B>, Self)> {
        let Template {
            version,
            headers,
            extensions,
            body,
        } = self.template?;
        let copy = body.try_clone();
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = version;
        *request.headers_mut() = headers.read();
        *request.extensions_mut() = extensions.clone();
        authorize(&mut request, authorization);
        self.template = copy.map(|body| Template {
            version,
            headers,
            extensions,
            body,
        });
        Some((request, self))
    }
}

/// Replaces `Authorization`, however many there are.
pub(super) fn authorize<B>(request: &mut Request<B>, mut value: HeaderValue) {
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
}
