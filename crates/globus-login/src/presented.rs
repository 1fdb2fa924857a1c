//! Presented tokens: only a login of the same person may answer for the request.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::app::{GlobusApp, Who};
use super::store::digest;
use super::user::AppUser;
use globus_gare::reauth::{Credential, Principal, ReauthError};

/// Another person logged in than the one to whom the request's token was issued.
#[derive(Debug, thiserror::Error)]
#[error("{logged_in} logged in, but the request came with a token of another person")]
struct NotTheOwner {
    logged_in: String,
}

impl AppUser {
    /// Fails if the request's token is known to belong to another person than `logged_in`.
    pub(super) async fn refuse_another(&self, logged_in: Option<&str>) -> Result<(), ReauthError> {
        let Principal::Presented(credential) = &self.principal else {
            return Ok(());
        };
        // The identity of a client that acts for itself is its client id.
        let client = matches!(self.shared.who, Who::Client).then_some(self.shared.auth.client_id());
        let Some(logged_in) = logged_in.or(client) else {
            return Ok(());
        };
        let owner = self.identities_of(credential).await?;
        if owner.is_empty() || owner.contains(logged_in) {
            return Ok(());
        }
        let logged_in = logged_in.to_owned();
        Err(ReauthError::other(NotTheOwner { logged_in }))
    }

    /// The identities of the token's owner; empty if they are not known.
    async fn identities_of(
        &self,
        credential: &Credential,
    ) -> Result<BTreeSet<String>, ReauthError> {
        let value = credential.header_value().as_bytes();
        let Some(token) = value.strip_prefix(b"Bearer ") else {
            return Ok(BTreeSet::new());
        };
        // The login of the app's own user may not have been loaded yet: it may list the token.
        let shared = Arc::clone(&self.shared);
        let _ = GlobusApp { shared }.own().load().await;
        if let Some(sub) = self.shared.logins.owner_of(&digest(token)) {
            return Ok([sub].into());
        }
        match std::str::from_utf8(token) {
            Ok(token) => self.shared.auth.introspect(token).await,
            Err(_) => Ok(BTreeSet::new()),
        }
    }
}
