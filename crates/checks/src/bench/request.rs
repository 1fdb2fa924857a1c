//! The request that is sent through all layers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;

pub const URI: &str = "https://transfer.api.globus.org/v0.10/operation/endpoint/2a0d28b8/mkdir";

pub const CREDENTIAL: &str = "Bearer AgEX4mpl3AgEX4mpl3AgEX4mpl3AgEX4mpl3AgEX4mpl3";

const HEADERS: [(&str, &str); 8] = [
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("authorization", CREDENTIAL),
    ("content-type", "application/json"),
    ("user-agent", "globus-gare-bench/1.0"),
    ("x-globus-client-info", "product=bench,version=1.0"),
    ("x-request-id", "7U5dNqzDn"),
    (
        "x-trace",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];

pub const BODY: usize = 1024;

/// How the request is made.
#[derive(Clone, Copy)]
pub enum Origin {
    /// A clone of a request that was cloned before: its bytes are shared already.
    Template,
    /// A new request: each part needs an allocation when it is first cloned.
    Afresh,
}

impl Origin {
    pub const ALL: [Self; 2] = [Self::Template, Self::Afresh];

    pub fn title(self) -> &'static str {
        match self {
            Self::Template => "from a template",
            Self::Afresh => "built afresh",
        }
    }
}

/// A request whose body `wrap` makes; without `Authorization` if the layer sets it.
pub fn build<B>(authorized: bool, wrap: impl Fn(Full<Bytes>) -> B) -> Request<B> {
    let mut request = Request::new(wrap(Full::new(Bytes::from(vec![b'x'; BODY]))));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = URI.parse().expect("a URI");
    *request.headers_mut() = headers(authorized);
    request
}

pub fn headers(authorized: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in HEADERS {
        if authorized || name != "authorization" {
            // Not `from_static`: a real value has its own allocation.
            let value = HeaderValue::from_str(value).expect("a value");
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
