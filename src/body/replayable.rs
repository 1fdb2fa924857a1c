use std::borrow::Cow;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Either, Empty, Full};

/// A request body that can be sent a second time.
///
/// A body that is cheap to clone says so by returning a copy; a stream that is
/// read only once returns `None`, and its request is sent once. Put a stream
/// into a [`ReplayBody`](super::ReplayBody) to have it sent again.
///
/// A boxed body ([`BoxBody`], [`UnsyncBoxBody`]) shows nothing of itself but
/// whether it is empty: the requests without a body are sent again. Box a
/// request's body *outside* the layer's client, or put the box itself into a
/// `ReplayBody`, to have the others sent again too.
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::layer::ReplayableBody;
/// use http_body_util::{BodyExt, Empty, Full};
///
/// let mut body = Full::new(Bytes::from_static(b"{\"DATA_TYPE\": \"mkdir\"}"));
/// assert!(body.try_clone().is_some());
/// assert!(body.boxed().try_clone().is_none());
/// assert!(Empty::<Bytes>::new().boxed().try_clone().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be replayed after a login",
    label = "this request body is not a `ReplayableBody`",
    note = "put it into `globus_gare::layer::ReplayBody::new(body)`, which keeps what was sent of any body",
    note = "or use a body that can be cloned: `http_body_util::Full<Bytes>`, `Empty<Bytes>`, `String`, `Bytes`",
    note = "or implement `ReplayableBody` and return `None`, to have such requests sent once"
)]
pub trait ReplayableBody: Sized {
    /// A copy that sends the same bytes, or `None` where there cannot be one.
    ///
    /// It takes `&mut self` for bodies that share their bytes only by giving them
    /// away, as `reqwest::Body` does. What `self` sends must stay the same.
    fn try_clone(&mut self) -> Option<Self>;

    /// Whether this copy, which was made before another one was sent, would
    /// still send the same bytes; if so, it has to remain so until it is sent.
    ///
    /// It is called before anybody is asked to log in for the copy's sake, and
    /// again right before the copy is sent. By default a copy lasts.
    fn claim(&self) -> bool {
        true
    }
}

macro_rules! by_clone {
    ($($body:ty),* $(,)?) => {$(
        impl ReplayableBody for $body {
            fn try_clone(&mut self) -> Option<Self> {
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
    fn try_clone(&mut self) -> Option<Self> {
        Some(self.clone())
    }
}

impl<D: Buf> ReplayableBody for Empty<D> {
    fn try_clone(&mut self) -> Option<Self> {
        Some(Self::new())
    }
}

impl<B: ReplayableBody> ReplayableBody for Option<B> {
    fn try_clone(&mut self) -> Option<Self> {
        match self {
            None => Some(None),
            Some(body) => body.try_clone().map(Some),
        }
    }

    fn claim(&self) -> bool {
        self.as_ref().is_none_or(ReplayableBody::claim)
    }
}

impl<L: ReplayableBody, R: ReplayableBody> ReplayableBody for Either<L, R> {
    fn try_clone(&mut self) -> Option<Self> {
        match self {
            Self::Left(body) => body.try_clone().map(Either::Left),
            Self::Right(body) => body.try_clone().map(Either::Right),
        }
    }

    fn claim(&self) -> bool {
        match self {
            Self::Left(body) => body.claim(),
            Self::Right(body) => body.claim(),
        }
    }
}

impl<D: Buf + 'static, E: 'static> ReplayableBody for BoxBody<D, E> {
    fn try_clone(&mut self) -> Option<Self> {
        let nothing = || Self::new(Empty::new().map_err(|never| match never {}));
        self.is_end_stream().then(nothing)
    }
}

impl<D: Buf + 'static, E: 'static> ReplayableBody for UnsyncBoxBody<D, E> {
    fn try_clone(&mut self) -> Option<Self> {
        let nothing = || Self::new(Empty::new().map_err(|never| match never {}));
        self.is_end_stream().then(nothing)
    }
}
