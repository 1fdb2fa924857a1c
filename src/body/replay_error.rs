use thiserror::Error;

/// An error from a copy of a [`ReplayBody`](super::ReplayBody) that ended before the body did.
///
/// If the body itself fails, one copy returns the body's own error and the others return this one.
/// Only the HTTP client sees it, in an attempt whose response has already arrived.
#[derive(Clone, Debug, Error)]
#[error(transparent)]
pub struct ReplayBodyError(Kind);

#[derive(Clone, Copy, Debug, Error)]
enum Kind {
    #[error("a later attempt sends the request's body")]
    Overtaken,
    #[error("the request's body failed in an earlier attempt")]
    Broken,
}

impl ReplayBodyError {
    pub(super) const OVERTAKEN: Self = Self(Kind::Overtaken);
    pub(super) const BROKEN: Self = Self(Kind::Broken);

    /// Whether another copy read beyond the kept data.
    pub fn is_overtaken(&self) -> bool {
        matches!(self.0, Kind::Overtaken)
    }

    /// Whether the body failed, and another copy got its error.
    pub fn is_broken(&self) -> bool {
        matches!(self.0, Kind::Broken)
    }
}
