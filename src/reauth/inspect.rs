//! Tells from its head whether a response may be a challenge.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;

/// Whether the body of a response is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Read,
    /// The response may be a challenge, and its body cannot be read, for this reason.
    Skip(&'static str),
    /// The body cannot hold a GARE.
    Nothing,
}

/// GAREs come with a `4xx`, or with Transfer's `502`, as text of up to `limit` bytes.
pub(crate) fn look<B: Body>(method: &Method, response: &Response<B>, limit: usize) -> Look {
    let (status, headers) = (response.status(), response.headers());
    let is_short = |size| usize::try_from(size).is_ok_and(|size: usize| size <= limit);
    match look_at_head(method, status, headers) {
        _ if response.body().is_end_stream() => Look::Nothing,
        Look::Read if !is_short(response.body().size_hint().lower()) => Look::Skip(TOO_LONG),
        look => look,
    }
}

pub(crate) const TOO_LONG: &str = "the body is longer than max_inspect";

/// As [`look`], from the head alone. The response to a `HEAD` has no body.
pub(crate) fn look_at_head(method: &Method, status: StatusCode, headers: &HeaderMap) -> Look {
    let is_error = status.is_client_error() || status == StatusCode::BAD_GATEWAY;
    let text = |name| headers.get(name).map(|value| value.as_bytes().trim_ascii());
    if !is_error
        || *method == Method::HEAD
        || text(CONTENT_LENGTH).is_some_and(|length| length == b"0")
    {
        return Look::Nothing;
    }
    let is_plain = text(CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity"));
    if !is_plain {
        return Look::Skip("the body is encoded");
    }
    match text(CONTENT_TYPE) {
        Some(kind) if !is_text(kind) => Look::Skip("the body's type is neither text nor JSON"),
        _ => Look::Read,
    }
}

fn is_text(kind: &[u8]) -> bool {
    let kind = kind.split(|byte| *byte == b';').next();
    let kind = kind.unwrap_or_default().trim_ascii();
    let (first, last) = (kind.first_chunk::<5>(), kind.last_chunk::<5>());
    kind.is_empty()
        || first.is_some_and(|first| first.eq_ignore_ascii_case(b"text/"))
        || kind.eq_ignore_ascii_case(b"application/json")
        || last.is_some_and(|last| last.eq_ignore_ascii_case(b"+json"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{Empty, Full};

    use super::*;

    #[checks::test]
    fn empty_body_is_not_read() {
        let refused = Response::builder().status(403);
        let empty = refused.body(Empty::<Bytes>::new()).expect("a response");
        assert_eq!(look(&Method::GET, &empty, 2), Look::Nothing);
        let refused = Response::builder().status(403);
        let full = refused.body(Full::<Bytes>::from("{}")).expect("a response");
        assert_eq!(look(&Method::GET, &full, 2), Look::Read);
    }
}
