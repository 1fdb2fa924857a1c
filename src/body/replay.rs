use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::ReplayableBody;
use super::recording::{Position, Recording, Turn};

/// A wrapper that makes any body replayable. It keeps the chunks that were sent.
///
/// Nothing is read before the HTTP client reads it, and no bytes are copied. Sent chunks and
/// trailers are kept while a copy exists that may send them again. Length and trailers stay the
/// same, so each attempt has the same framing (`content-length` or chunks).
///
/// # Limit
///
/// Up to 64 KiB of data are kept, or up to the limit of [`with_limit`](Self::with_limit). A longer
/// body continues to stream in the current attempt, and the kept chunks are dropped. Its request is
/// not replayed: the outcome is
/// [`NotReplayable`](crate::reauth::GaveUp::NotReplayable).
///
/// # What a replay sends
///
/// A replay sends the whole body, even if the earlier attempt never began, stopped because the
/// service responded early, or is still sending. A body that failed is not replayed.
///
/// During a login, the earlier attempt may continue to send data within the limit. Data beyond the
/// limit belongs to the replay: there the earlier attempt ends with an error, which only the HTTP
/// client sees. If the body itself fails, one attempt gets its error, and the others get one that
/// says so.
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::layer::{GareLayer, ReplayBody};
/// use globus_gare::reauth::{Credential, reauth_fn};
/// use http_body::Frame;
/// use http_body_util::{BodyExt, Full, StreamBody};
/// use tower::{Layer, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// // A service that echoes the request body once it accepts the token.
/// async fn echo<B>(request: http::Request<B>) -> Result<http::Response<Full<Bytes>>, B::Error>
/// where
///     B: http_body::Body<Data = Bytes>,
/// {
///     let known = request.headers().get("authorization").is_some_and(|value| value == "Bearer fresh");
///     let sent = request.into_body().collect().await?.to_bytes();
///     let (status, body) = match known {
///         true => (200, sent),
///         false => (401, r#"{"authorization_parameters": {}}"#.into()),
///     };
///     Ok(http::Response::builder().status(status).body(Full::new(body)).unwrap())
/// }
///
/// let chunks = futures_util::stream::iter(["one ", "two"].map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::from(chunk)))));
/// let request = http::Request::put("https://transfer.api.globus.org/v0.10/task").body(ReplayBody::new(StreamBody::new(chunks)))?;
///
/// let layer = GareLayer::new(reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) }));
/// let response = layer.layer(tower::service_fn(echo)).oneshot(request).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "one two");
/// # Ok(())
/// # }
/// ```
///
/// # Bodies of other crates
///
/// A program that forwards requests has axum's body, and a client that tonic generates has tonic's.
/// Map the request on both sides of the layer: outside into a `ReplayBody`, inside back into the
/// body that the inner service takes. Services that take any body, such as axum's router and
/// `hyper_util`'s client, need only the outer one.
///
/// ```
/// use axum::body::Body;
/// use globus_gare::layer::{GareLayer, ReplayBody};
/// use globus_gare::reauth::{Credential, reauth_fn};
/// use http::Request;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let inner = tower::service_fn(|request: Request<Body>| async move {
/// #     let known = request.headers().get("authorization").is_some_and(|value| value == "Bearer fresh");
/// #     let status = if known { 200 } else { 401 };
/// #     let sent = axum::body::to_bytes(request.into_body(), 100).await?;
/// #     let body = if known { sent } else { r#"{"authorization_parameters": {}}"#.into() };
/// #     Ok::<_, axum::Error>(http::Response::builder().status(status).body(Body::from(body)).unwrap())
/// # });
/// let client = ServiceBuilder::new()
///     .map_request(|request: Request<Body>| request.map(ReplayBody::new))
///     .layer(GareLayer::new(reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) })))
///     .map_request(|request: Request<ReplayBody<Body>>| request.map(Body::new))
///     .service(inner);
///
/// let request = Request::put("https://transfer.api.globus.org/v0.10/task").body(Body::from("one two"))?;
/// let response = client.oneshot(request).await?;
/// assert_eq!(response.status(), 200);
/// # let body = axum::body::to_bytes(Body::new(response.into_body()), 100).await?;
/// # assert_eq!(body, "one two");
/// # Ok(())
/// # }
/// ```
pub struct ReplayBody<B: Body> {
    recording: Arc<Recording<B>>,
    turn: Turn,
    position: Position,
}

impl<B: Body> ReplayBody<B> {
    /// Wraps `body`, and keeps up to 64 KiB of it.
    pub fn new(body: B) -> Self {
        Self::with_limit(body, 64 * 1024)
    }

    /// Wraps `body`, and keeps up to `limit` bytes of it. With 0, a body is replayable only if it
    /// is empty, or if no attempt has sent data of it.
    pub fn with_limit(body: B, limit: usize) -> Self {
        Self {
            recording: Arc::new(Recording::new(body, limit)),
            turn: 0,
            position: Position::START,
        }
    }
}

impl<B: Body> ReplayableBody for ReplayBody<B> {
    /// Makes a copy that sends the data that this one has not sent yet.
    fn try_clone(&mut self) -> Option<Self> {
        self.recording.take_turn().map(|turn| Self {
            recording: Arc::clone(&self.recording),
            turn,
            position: self.position,
        })
    }

    fn claim(&self) -> bool {
        self.recording.claim(self.turn)
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        let alone = Arc::strong_count(&this.recording) == 1;
        this.recording
            .poll_frame(this.turn, &mut this.position, alone, cx)
    }

    fn is_end_stream(&self) -> bool {
        self.recording.is_end_stream(self.turn, self.position)
    }

    fn size_hint(&self) -> SizeHint {
        self.recording.size_hint(self.turn, self.position)
    }
}

impl<B: Body> Drop for ReplayBody<B> {
    fn drop(&mut self) {
        self.recording.leave(self.turn);
    }
}

impl<B: Body> From<B> for ReplayBody<B> {
    fn from(body: B) -> Self {
        Self::new(body)
    }
}

impl<B: Body + Default> Default for ReplayBody<B> {
    fn default() -> Self {
        Self::new(B::default())
    }
}

impl<B: Body> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody")
            .field(
                "size_hint",
                &self.recording.size_hint(self.turn, self.position),
            )
            .finish_non_exhaustive()
    }
}
