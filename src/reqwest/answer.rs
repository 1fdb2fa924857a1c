use std::future::poll_fn;

use http::Uri;
use reqwest::{Body, Response, ResponseBuilderExt as _, Url};

use crate::body::{GareBody, Inspection};
use crate::reauth::{Place, is_secure};

/// What a response said, if all of it could be read, and the response to give back.
pub(super) struct Read {
    pub(super) text: Option<bytes::Bytes>,
    pub(super) response: Response,
}

/// Reads the body of `response` ahead.
pub(super) async fn read(
    response: Response,
    inspection: impl FnOnce(Body) -> Inspection<Body>,
) -> Read {
    let url = response.url().clone();
    let (head, body) = http::Response::<Body>::from(response).into_parts();
    let mut inspection = inspection(body);
    let end = poll_fn(|cx| inspection.poll_end(cx)).await;
    let (text, held) = inspection.give_back(end);
    let response = http::Response::from_parts(head, GareBody::inspected(held));
    Read {
        text,
        response: give_back(response, url),
    }
}

/// The response as reqwest gave it: status, version, headers, extensions (the
/// remote address is one of them), body and URL.
fn give_back(response: http::Response<GareBody<Body>>, url: Url) -> Response {
    let mut response = response.map(Body::wrap);
    // There is no other way to tell a response its URL.
    if let Ok(told) = http::Response::builder().url(url).body(()) {
        response
            .extensions_mut()
            .extend(told.into_parts().0.extensions);
    }
    Response::from(response)
}

impl Place for Url {
    fn authority(&self) -> Option<(bool, &str)> {
        Some((is_secure(self.scheme())?, Self::authority(self)))
    }

    fn path(&self) -> &str {
        Self::path(self)
    }
}

/// `None` where reqwest and `http` disagree about what a URL is.
pub(super) fn uri(url: &Url) -> Option<Uri> {
    url.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn url_has_the_origin_of_the_same_uri() {
        for (text, place) in [
            (
                "https://Transfer.api.globus.org:443/v0.10/",
                Some((true, "transfer.api.globus.org")),
            ),
            ("http://127.0.0.1:8080/", Some((false, "127.0.0.1:8080"))),
            (
                "https://user:password@transfer.api.globus.org/",
                Some((true, "user:password@transfer.api.globus.org")),
            ),
            ("ftp://transfer.api.globus.org/", None),
        ] {
            let url: Url = text.parse().expect(text);
            assert_eq!(Place::authority(&url), place, "{text}");
            let uri = uri(&url).expect(text);
            assert_eq!(Place::authority(&uri), place, "{text}");
        }
    }
}
