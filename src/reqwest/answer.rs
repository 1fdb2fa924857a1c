use http::{Response, Uri};
use reqwest::{Body, ResponseBuilderExt as _, Url};

use crate::body::GareBody;

/// The URL of a response, in its extensions.
#[derive(Clone)]
struct AnsweredAt(Url);

/// Converts a response of reqwest. [`tell_url`] and [`url`] find its URL.
pub(super) fn into_http(response: reqwest::Response) -> Response<Body> {
    let url = response.url().clone();
    let mut response = Response::<Body>::from(response);
    response.extensions_mut().insert(AnsweredAt(url));
    response
}

pub(super) fn url(response: &Response<Body>) -> Option<&Url> {
    response.extensions().get().map(|AnsweredAt(url)| url)
}

/// The response of reqwest again: status, version, headers, extensions (with the remote address),
/// body and URL.
pub(super) fn from_http(mut response: Response<GareBody<Body>>) -> reqwest::Response {
    tell_url(&mut response);
    response.map(Body::wrap).into()
}

/// Moves the URL of a response to where [`reqwest::Response::from`] finds it. reqwest has no other
/// way than its extension of the builder.
pub(super) fn tell_url<B>(response: &mut Response<B>) {
    if let Some(AnsweredAt(url)) = response.extensions_mut().remove()
        && let Ok(told) = Response::builder().url(url).body(())
    {
        let told = told.into_parts().0.extensions;
        response.extensions_mut().extend(told);
    }
}

/// A reqwest URL as a URI. A URL that `http` cannot parse becomes `/`, which names no origin.
pub(super) fn uri(url: &Url) -> Uri {
    url.as_str().parse().unwrap_or_default()
}
