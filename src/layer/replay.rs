use std::borrow::Cow;

use bytes::{Buf, Bytes};
use http_body_util::{Either, Empty, Full};

/// A request body that can be sent a second time.
///
/// A body that is cheap to clone says so by returning a copy; a stream that is
/// read only once returns `None`, and its request is sent once.
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::layer::ReplayableBody;
/// use http_body_util::Full;
///
/// let body = Full::new(Bytes::from_static(b"{\"DATA_TYPE\": \"mkdir\"}"));
/// assert!(body.try_clone().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be replayed after a login",
    label = "this request body is not a `ReplayableBody`",
    note = "use `http_body_util::Full<Bytes>`, `Empty<Bytes>`, `String` or `Bytes`, or implement `ReplayableBody` and return `None` to have such requests sent once"
)]
pub trait ReplayableBody: Sized {
    /// A copy that sends the same bytes, or `None` where there cannot be one.
    fn try_clone(&self) -> Option<Self>;
}

macro_rules! by_clone {
    ($($body:ty),* $(,)?) => {$(
        impl ReplayableBody for $body {
            fn try_clone(&self) -> Option<Self> {
                Some(self.clone())
            }
        }
    )*};
}

by_clone!(
    (),
    Bytes,
    String,
    Vec<u8>,
    &'static str,
    &'static [u8],
    Cow<'static, str>,
    Cow<'static, [u8]>
);

impl<D: Clone> ReplayableBody for Full<D> {
    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl<D: Buf> ReplayableBody for Empty<D> {
    fn try_clone(&self) -> Option<Self> {
        Some(Self::new())
    }
}

impl<B: ReplayableBody> ReplayableBody for Option<B> {
    fn try_clone(&self) -> Option<Self> {
        match self {
            None => Some(None),
            Some(body) => body.try_clone().map(Some),
        }
    }
}

impl<L: ReplayableBody, R: ReplayableBody> ReplayableBody for Either<L, R> {
    fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Left(body) => body.try_clone().map(Either::Left),
            Self::Right(body) => body.try_clone().map(Either::Right),
        }
    }
}
