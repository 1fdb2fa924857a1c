use std::borrow::Cow;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Either, Empty, Full};

/// A request body that may be sent again.
///
/// A body that is cheap to clone returns a copy. A stream returns `None`, and its request is sent
/// once. Wrap a stream, or the body type of another crate such as axum or tonic, in a
/// [`ReplayBody`](super::ReplayBody) to make it replayable.
///
/// A boxed body ([`BoxBody`], [`UnsyncBoxBody`]) is replayable only if it is empty. To replay other
/// boxed bodies, box the body inside the layer, or wrap the box in a `ReplayBody`.
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
    note = "wrap it in `globus_gare::layer::ReplayBody::new(body)`, which makes any body replayable, such as axum's or tonic's",
    note = "or use a body that can be cloned: `http_body_util::Full<Bytes>`, `Empty<Bytes>`, `String`, `Bytes`",
    note = "or implement `ReplayableBody` and return `None`: such requests are sent once"
)]
pub trait ReplayableBody: Sized {
    /// Returns a copy that sends the same bytes, or `None` if the body cannot be copied.
    ///
    /// `self` is mutable for bodies such as `reqwest::Body`, which must be taken apart to be
    /// copied. The bytes that `self` sends must stay the same.
    fn try_clone(&mut self) -> Option<Self>;

    /// Whether this copy can still send the same bytes. If `true`, that must hold until it is sent.
    ///
    /// Called before a person is asked to log in for a replay of this copy, and again right before
    /// the copy is sent. By default `true`.
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
