//! Which responses may be challenges.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;

/// Whether `response` may be a challenge: an error whose body may be JSON or text, is not
/// compressed, and is not known to be empty or longer than `limit`.
pub(crate) fn may_ask<B: Body>(method: &Method, response: &Response<B>, limit: usize) -> bool {
    let (status, headers) = (response.status(), response.headers());
    let size = || response.body().size_hint().lower();
    is_refusal(status)
        && !response.body().is_end_stream()
        && head_may_ask(method, status, headers)
        && usize::try_from(size()).is_ok_and(|size| size <= limit)
}

/// As [`may_ask`], from the head of the response alone.
pub(crate) fn head_may_ask(method: &Method, status: StatusCode, headers: &HeaderMap) -> bool {
    is_refusal(status) && *method != Method::HEAD && is_readable(headers)
}

fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() || status == StatusCode::BAD_GATEWAY
}

fn is_readable(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.as_bytes().trim_ascii());
    let plain = text(CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity"));
    let empty = text(CONTENT_LENGTH).is_some_and(|length| length == b"0");
    let readable = text(CONTENT_TYPE).is_none_or(|kind| {
        let end = memchr::memchr(b';', kind).unwrap_or(kind.len());
        let kind = kind.get(..end).unwrap_or_default().trim_ascii();
        kind.is_empty()
            || begins_with(kind, b"text/")
            || kind.eq_ignore_ascii_case(b"application/json")
            || ends_with(kind, b"+json")
    });
    plain && !empty && readable
}

fn begins_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len())
        .is_some_and(|text| text.eq_ignore_ascii_case(start))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|text| text.eq_ignore_ascii_case(end))
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
        assert!(!may_ask(&Method::GET, &empty, 2));
        let refused = Response::builder().status(403);
        let full = refused.body(Full::<Bytes>::from("{}")).expect("a response");
        assert!(may_ask(&Method::GET, &full, 2));
    }
}
