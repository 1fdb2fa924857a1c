use http::Uri;
use reqwest::{Body, Response, ResponseBuilderExt as _, Url};

use crate::body::{GareBody, Inspection};
use crate::reauth::{OriginRef, Place};

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
    let mut inspection = Some(Box::new(inspection(body)));
    let inspected =
        std::future::poll_fn(
            |cx| match inspection.take().map(|reading| reading.poll_read(cx)) {
                Some(Ok(inspected)) => std::task::Poll::Ready(inspected),
                Some(Err(reading)) => {
                    inspection = Some(reading);
                    std::task::Poll::Pending
                }
                None => std::task::Poll::Pending,
            },
        )
        .await;
    let response = http::Response::from_parts(head, inspected.body);
    Read {
        text: inspected.text,
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
    fn origin(&self) -> Option<OriginRef<'_>> {
        let anonymous = self.username().is_empty() && self.password().is_none();
        let (host, port) = self
            .host_str()
            .zip(self.port_or_known_default())
            .filter(|_| anonymous)?;
        OriginRef::new(self.scheme(), host, port)
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

    #[test]
    fn a_url_is_a_place_unless_it_names_a_user() {
        for (url, place) in [
            (
                "https://transfer.api.globus.org/v0.10/",
                Some((true, "transfer.api.globus.org", 443)),
            ),
            ("http://127.0.0.1:8080/", Some((false, "127.0.0.1", 8080))),
            ("https://user@transfer.api.globus.org/", None),
            ("https://:password@transfer.api.globus.org/", None),
            ("ftp://transfer.api.globus.org/", None),
        ] {
            let url: Url = url.parse().expect("a URL");
            let found = Place::origin(&url);
            let found = found.map(|origin| (origin.secure, origin.host, origin.port));
            assert_eq!(found, place, "{url}");
        }
    }
}
