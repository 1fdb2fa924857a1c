use thiserror::Error;

/// An error from a copy of a [`ReplayBody`](super::ReplayBody) that ended before the body did.
///
/// Only the HTTP client sees it, in an attempt whose response has already arrived.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum ReplayError {
    /// Another copy read beyond the kept data.
    #[error("a later attempt sends the request's body")]
    Overtaken,
    /// The body failed, and another copy was given its error.
    #[error("the request's body failed in an earlier attempt")]
    Broken,
}
