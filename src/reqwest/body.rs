use std::mem;
use std::sync::LazyLock;

use http::Method;
use http_body::Body as _;
use reqwest::{Body, Request, Url};

use crate::body::ReplayableBody;

/// Bytes in memory are shared, not copied. A stream is sent once, unless it is empty.
impl ReplayableBody for Body {
    fn try_clone(&mut self) -> Option<Self> {
        if self.is_end_stream() {
            return Some(Self::default());
        }
        self.as_bytes()?;
        // reqwest clones a body only as part of a request. Nothing is sent to this URL.
        static URL: LazyLock<Option<Url>> = LazyLock::new(|| "http://localhost".parse().ok());
        let mut request = Request::new(Method::POST, URL.clone()?);
        *request.body_mut() = Some(mem::take(self));
        let copy = request.try_clone();
        *self = request.body_mut().take()?;
        copy?.body_mut().take()
    }
}
