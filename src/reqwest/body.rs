use bytes::Bytes;
use http_body::Body as _;
use reqwest::Body;

use crate::body::ReplayableBody;

/// Bytes in memory are copied, and an empty body is one; a stream is sent once.
impl ReplayableBody for Body {
    fn try_clone(&self) -> Option<Self> {
        match self.as_bytes() {
            Some(bytes) => Some(Self::from(Bytes::copy_from_slice(bytes))),
            None => self.is_end_stream().then(Self::default),
        }
    }
}
