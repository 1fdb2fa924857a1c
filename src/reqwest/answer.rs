use http::{Response, Uri};
use reqwest::{Body, ResponseBuilderExt as _, Url};

use crate::body::GareBody;

/// The URL of a response, among its extensions.
#[derive(Clone)]
struct AnsweredAt(Url);

/// A response of reqwest with its URL kept.
pub(super) fn into_http(response: reqwest::Response) -> Response<Body> {
    let url = response.url().clone();
    let mut response = Response::<Body>::from(response);
    response.extensions_mut().insert(AnsweredAt(url));
    response
}

/// A response of reqwest with its URL kept where [`reqwest::Response::from`] finds it.
pub(super) fn into_http_with_url(response: reqwest::Response) -> Response<Body> {
    let url = response.url().clone();
    let mut response = Response::<Body>::from(response);
    tell_url(&mut response, url);
    response
}

pub(super) fn url(response: &Response<Body>) -> Option<&Url> {
    response.extensions().get().map(|AnsweredAt(url)| url)
}

/// The response as reqwest gave it: status, version, headers, extensions (the
/// remote address is one of them), body and URL.
pub(super) fn from_http(mut response: Response<GareBody<Body>>) -> reqwest::Response {
    if let Some(AnsweredAt(url)) = response.extensions_mut().remove() {
        tell_url(&mut response, url);
    }
    response.map(Body::wrap).into()
}

/// There is no other way to tell a response its URL.
fn tell_url<B>(response: &mut Response<B>, url: Url) {
    if let Ok(told) = Response::builder().url(url).body(()) {
        let told = told.into_parts().0.extensions;
        response.extensions_mut().extend(told);
    }
}

/// Where reqwest and `http` disagree about what a URL is, it names no origin.
pub(super) fn uri(url: &Url) -> Uri {
    url.as_str().parse().unwrap_or_default()
}
