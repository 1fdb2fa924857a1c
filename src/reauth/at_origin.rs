//! The state of an account at one origin, or at one resource server of an origin.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::{Backoff, Lengths};
use super::requirement::Requirement;
use super::target::Audience;
use super::{Credential, ReauthError};

/// How many rejected credentials are remembered.
const MAX_REJECTED: usize = 8;

/// How many earlier credentials are remembered in a session of one person.
const MAX_SEEN: usize = 32;

/// How long to wait after a refresh that did not help.
const REFRESH: Lengths = Lengths {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
};

/// A credential, and its generation. A later credential has a higher generation.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) credential: Credential,
    pub(super) generation: u64,
}

/// The last login that succeeded.
#[derive(Clone, Debug)]
pub(super) struct LastLogin {
    pub(super) generation: u64,
    pub(super) requirement: Arc<Requirement>,
}

#[derive(Debug)]
pub(super) struct AtOrigin {
    pub(super) audience: Audience,
    pub(super) current: Option<Issued>,
    /// The credential that the program invalidated, until there is another one.
    pub(super) invalidated: Option<Credential>,
    /// The latest generation that a service accepted here.
    pub(super) accepted: u64,
    pub(super) last_login: Option<LastLogin>,
    /// Credentials that were rejected here since the account's last login.
    rejected: VecDeque<Credential>,
    /// Credentials that were current once. For a session of one person only.
    seen: VecDeque<Credential>,
    /// The backoff after failed logins, and the error of the last one.
    failed: Option<(Backoff, ReauthError)>,
    refreshed: Option<Refreshed>,
}

/// The last refresh.
#[derive(Debug)]
struct Refreshed {
    /// The generation that it was to replace.
    generation: u64,
    backoff: Backoff,
    /// Its error, if it was unavailable.
    unavailable: Option<ReauthError>,
}

impl AtOrigin {
    pub(super) fn new(audience: Audience) -> Self {
        Self {
            audience,
            current: None,
            invalidated: None,
            accepted: 0,
            last_login: None,
            rejected: VecDeque::new(),
            seen: VecDeque::new(),
            failed: None,
            refreshed: None,
        }
    }

    pub(super) fn note_accepted(&mut self, generation: u64) {
        self.accepted = self.accepted.max(generation);
        // Only a newer generation shows that the refresh helped.
        self.refreshed
            .take_if(|refreshed| refreshed.generation < generation);
    }

    pub(super) fn has_seen(&self, credential: &Credential) -> bool {
        self.seen.iter().any(|seen| seen.sends_same_as(credential))
    }

    pub(super) fn note_seen(&mut self, credential: Credential) {
        self.seen.truncate(MAX_SEEN - 1);
        self.seen.push_front(credential);
    }

    pub(super) fn has_rejected(&self, credential: &Credential) -> bool {
        let mut rejected = self.rejected.iter();
        rejected.any(|rejected| rejected.sends_same_as(credential))
    }

    pub(super) fn note_rejected(&mut self, credential: Credential) {
        if !self.has_rejected(&credential) {
            self.rejected.truncate(MAX_REJECTED - 1);
            self.rejected.push_front(credential);
        }
    }

    pub(super) fn forget_rejected(&mut self) {
        self.rejected.clear();
    }

    /// How long no login starts, and the error of the last one.
    pub(super) fn backs_off(&self, now: Instant) -> Option<(Duration, &ReauthError)> {
        let (backoff, error) = self.failed.as_ref()?;
        Some((backoff.left(now)?, error))
    }

    pub(super) fn note_failed(&mut self, error: ReauthError, now: Instant, lengths: Lengths) {
        let previous = self.failed.take().map(|(backoff, _)| backoff);
        self.failed = Some((Backoff::after(previous, now, lengths), error));
    }

    pub(super) fn forget_failed(&mut self) {
        self.failed = None;
    }

    pub(super) fn may_refresh(&self, now: Instant) -> bool {
        let refreshed = self.refreshed.as_ref();
        refreshed.is_none_or(|refreshed| refreshed.backoff.left(now).is_none())
    }

    /// The error of the last refresh, if it was unavailable and backs off.
    pub(super) fn unavailable(&self, now: Instant) -> Option<&ReauthError> {
        let refreshed = self.refreshed.as_ref()?;
        refreshed.backoff.left(now)?;
        refreshed.unavailable.as_ref()
    }

    /// Notes a refresh. [`note_accepted`](Self::note_accepted) forgets it.
    pub(super) fn note_refreshed(
        &mut self,
        generation: u64,
        unavailable: Option<ReauthError>,
        now: Instant,
    ) {
        let previous = self.refreshed.take().map(|refreshed| refreshed.backoff);
        self.refreshed = Some(Refreshed {
            generation,
            backoff: Backoff::after(previous, now, REFRESH),
            unavailable,
        });
    }
}
