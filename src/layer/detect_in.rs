use std::time::Duration;

use http::{Method, Response};
use http_body::Body;

use super::GareBody;
use crate::body::Inspection;
use crate::gare::Detection;
use crate::reauth::{Look, look};

/// Finds the requirements in a response, and returns the response with its whole body.
///
/// For a program that handles challenges itself. `response` is an [`http::Response`] with any body,
/// or a `reqwest::Response`.
///
/// The body is read if the response may be a challenge: a status of 400 to 499 or 502, content that
/// may be JSON or text and is not compressed. Nothing is found in a body that exceeds `limits` or
/// fails. The returned response always has the whole body, with its trailers, or its error in its
/// place.
///
/// The detection does not check the origin. Before you act on it, check the URL that the response
/// came from with [`Trust::allows`](crate::Trust::allows): a client that follows redirects may
/// return a stranger's response. The conversion of a `reqwest::Response` drops its URL, so read
/// `Response::url` before the call.
///
/// The time limit needs a tokio runtime with a timer. Without one there is no time limit.
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::layer::{InspectLimits, detect_in};
/// use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{"code": "Forbidden", "authorization_parameters": {"session_required_mfa": true}}"#;
/// let response = http::Response::builder().status(403).body(Full::<Bytes>::from(text))?;
///
/// let (response, detection) = detect_in(response, InspectLimits::new()).await;
/// let parameters = &detection.found[0].gare.authorization_parameters;
/// assert!(parameters.session_required_mfa);
/// assert_eq!(response.into_body().collect().await?.to_bytes(), text);
/// # Ok(())
/// # }
/// ```
pub async fn detect_in<B: Body>(
    response: impl Into<Response<B>>,
    limits: InspectLimits,
) -> (Response<GareBody<B>>, Detection) {
    let response = response.into();
    // The response to a `HEAD` has no body, and ends at once.
    if look(&Method::GET, &response, limits.max_inspect) != Look::Read {
        return (response.map(GareBody::untouched), Detection::default());
    }
    let (head, body) = response.into_parts();
    let inspection = Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
    let (text, held) = inspection.read().await;
    let detection = text.as_deref().map(Detection::of).unwrap_or_default();
    let response = Response::from_parts(head, GareBody::inspected(held));
    (response, detection)
}

/// Limits on the bytes and the time to read a response's body. For [`detect_in`].
///
/// ```
/// use std::time::Duration;
///
/// use globus_gare::layer::InspectLimits;
///
/// let limits = InspectLimits::new().max_inspect(64 * 1024).inspect_timeout(Duration::from_secs(2));
/// # drop(limits);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InspectLimits {
    pub(crate) max_inspect: usize,
    pub(crate) inspect_timeout: Duration,
}

impl InspectLimits {
    /// The default limits, as in [`GareLayer`](super::GareLayer): 256 KiB and 10 seconds.
    pub fn new() -> Self {
        Self {
            max_inspect: 256 * 1024,
            inspect_timeout: Duration::from_secs(10),
        }
    }

    /// How many bytes are read. Default: 256 KiB. Nothing is found in a longer body.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.max_inspect = bytes;
        self
    }

    /// How long to wait for the end of the body. Default: 10 seconds. Nothing is found in a slower
    /// body.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.inspect_timeout = timeout;
        self
    }
}

impl Default for InspectLimits {
    fn default() -> Self {
        Self::new()
    }
}
