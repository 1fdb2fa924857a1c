use thiserror::Error;

/// An error from a copy of a [`ReplayBody`](super::ReplayBody) that ended before the body did.
///
/// Only the HTTP client sees it, for an attempt whose response has already come.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum ReplayError {
    /// Another copy read beyond the kept data.
    #[error("the request's body is sent by a later attempt of it")]
    Overtaken,
    /// The body failed, and another copy was given its error.
    #[error("the request's body failed in an earlier attempt")]
    Broken,
}
