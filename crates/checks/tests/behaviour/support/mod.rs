//! Shared code of these tests.

use http::HeaderMap;

pub(crate) mod server;

/// The names, values and `is_sensitive` flags of headers, in order.
pub(crate) type Listed = Vec<(String, Vec<u8>, bool)>;

pub(crate) fn listed(headers: &HeaderMap) -> Listed {
    let all = headers.iter();
    all.map(|(name, value)| {
        let name = name.as_str().to_owned();
        (name, value.as_bytes().to_vec(), value.is_sensitive())
    })
    .collect()
}
