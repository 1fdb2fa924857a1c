use std::sync::Arc;

use super::{Credential, Target};
use crate::gare::Gare;

/// A look-up: a session asks a [`Reauthenticator`](super::Reauthenticator) for a credential that it
/// can get without a person.
///
/// A clone is cheap.
#[derive(Clone, Debug)]
pub struct CredentialRequest {
    target: Target,
    rejected: Option<Credential>,
    may_refresh: bool,
    why: Why,
}

/// Why a session looks for a credential.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Why {
    /// The session has no credential for the target.
    Initial,
    /// The current credential is valid and ends soon. Return one that ends later.
    Expiring,
    /// The current credential has expired.
    Expired,
    /// A service sent a plain `401`, without a GARE.
    Unauthorized,
    /// A service sent this requirement. Only a credential that a *login* brought after the rejected
    /// one helps: a refreshed token belongs to the same session of Globus Auth.
    Required(Arc<Gare>),
}

impl CredentialRequest {
    /// Makes a request by hand, to test a `Reauthenticator`. It may refresh, except for
    /// [`Why::Required`].
    pub fn new(target: Target, why: Why) -> Self {
        Self {
            may_refresh: !matches!(why, Why::Required(_)),
            target,
            rejected: None,
            why,
        }
    }

    /// Sets the credential to replace.
    #[must_use]
    pub fn with_rejected(mut self, rejected: Credential) -> Self {
        self.rejected = Some(rejected);
        self
    }

    /// Forbids a refresh.
    #[must_use]
    pub fn without_refresh(mut self) -> Self {
        self.may_refresh = false;
        self
    }

    /// The origin and the principal of the credential.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The credential to replace: a service rejected it, the program
    /// [invalidated](super::Session::invalidate) it, or it ends. Do not return it again.
    pub fn rejected(&self) -> Option<&Credential> {
        self.rejected.as_ref()
    }

    /// Whether a refresh token may be used. If not, only look in memory and in stores.
    pub fn may_refresh(&self) -> bool {
        self.may_refresh
    }

    /// Why the session looks for a credential.
    pub fn why(&self) -> &Why {
        &self.why
    }
}
