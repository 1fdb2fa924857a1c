use thiserror::Error;

/// An error from a copy of a [`ReplayBody`](super::ReplayBody) that ended before the body did.
///
/// If the body itself fails, one copy gives the body's own error and the others give this one. Only
/// the HTTP client sees it, for an attempt whose response has already come.
#[derive(Clone, Debug, Error)]
#[error(transparent)]
pub struct ReplayBodyError(Kind);

#[derive(Clone, Copy, Debug, Error)]
enum Kind {
    #[error("the request's body is sent by a later attempt of it")]
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

    /// Whether the body failed, and another copy was given its error.
    pub fn is_broken(&self) -> bool {
        matches!(self.0, Kind::Broken)
    }
}
