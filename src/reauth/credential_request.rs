use std::sync::Arc;

use super::{Credential, Target};
use crate::gare::Gare;

/// What a session asks a [`Reauthenticator`](super::Reauthenticator) for when it looks for a
/// credential without a person.
///
/// Cheap to clone.
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
    /// The session has none for the target.
    Initial,
    /// The one at hand is still good and ends soon: one that lives longer is wanted.
    Expiring,
    /// The one at hand has expired.
    Expired,
    /// A service answered `401`, and required nothing.
    Unauthorized,
    /// A service required this. Only a credential that a *login* brought after the rejected one is
    /// of use: a refreshed token belongs to the same session of Globus Auth.
    Required(Arc<Gare>),
}

impl CredentialRequest {
    /// Asks for a credential for `target`, which may be refreshed unless a service
    /// [requires](Why::Required) something.
    pub fn new(target: Target, why: Why) -> Self {
        Self {
            may_refresh: !matches!(why, Why::Required(_)),
            target,
            rejected: None,
            why,
        }
    }

    /// Names the credential that is to be replaced.
    #[must_use]
    pub fn with_rejected(mut self, rejected: Credential) -> Self {
        self.rejected = Some(rejected);
        self
    }

    /// Forbids to refresh.
    #[must_use]
    pub fn without_refresh(mut self) -> Self {
        self.may_refresh = false;
        self
    }

    /// The origin and the principal that the credential is for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The credential that is to be replaced: a service did not accept it, or it ends. Giving it back
    /// is of no use.
    pub fn rejected(&self) -> Option<&Credential> {
        self.rejected.as_ref()
    }

    /// Whether a refresh token may be spent. If not, only look: in memory, in a store.
    pub fn may_refresh(&self) -> bool {
        self.may_refresh
    }

    /// Why the session asks.
    pub fn why(&self) -> &Why {
        &self.why
    }
}
