use http::header::AUTHORIZATION;
use http::{Extensions, HeaderValue, Request, Version};

use super::ReplayableBody;
use crate::kept_headers::KeptHeaders;
use crate::reauth::{Asked, Exchange, UsualHeaders};

/// What it takes to send a request again, beside [what was asked](Asked): few are.
pub(super) struct Kept<B> {
    version: Version,
    body: B,
    headers: KeptHeaders,
    extensions: Extensions,
}

/// What is kept of `request` while it is under way, with a copy of its body if it can be sent a second time.
#[inline(always)]
pub(super) fn keep<B>(
    request: &Request<B>,
    body: Option<B>,
    exchange: &Exchange,
) -> (Asked, Option<Kept<B>>) {
    let all = request.headers();
    // Learned from those that are read once, too: it is told by them which of these are only watched.
    let usual = exchange.usual_headers(all);
    let (kept, presented) = match body {
        Some(body) => {
            let (headers, presented) = KeptHeaders::of(all, usual);
            let kept = Kept {
                version: request.version(),
                body,
                headers,
                extensions: request.extensions().clone(),
            };
            (Some(kept), presented)
        }
        None => (None, all.get(AUTHORIZATION)),
    };
    let asked = Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        presented: presented.cloned(),
    };
    (asked, kept)
}

impl<B: ReplayableBody> Kept<B> {
    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.body.claim()
    }

    /// The request with another credential, if it can still be sent again; and what is kept of it for another time.
    pub(super) fn with(
        self,
        asked: &Asked,
        authorization: HeaderValue,
        usual: &UsualHeaders,
    ) -> Option<(Request<B>, Option<Self>)> {
        if !self.claim() {
            return None;
        }
        let copy = self.body.try_clone();
        let mut request = Request::new(self.body);
        *request.method_mut() = asked.method.clone();
        *request.uri_mut() = asked.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.with(authorization, usual);
        *request.extensions_mut() = self.extensions.clone();
        let kept = copy.map(|body| Self { body, ..self });
        Some((request, kept))
    }
}
