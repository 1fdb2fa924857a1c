//! The person whose token a request came with: nobody else's login may answer for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::app::{GlobusApp, Who};
use super::store::digest;
use super::user::AppUser;
use globus_gare::reauth::{Credential, Principal, ReauthError};

/// Somebody else logged in than the person whose token the request came with.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody else logged in: {logged_in}, and the request came with a token of another person"
)]
struct NotTheOwner {
    logged_in: String,
}

impl AppUser {
    /// Refuses a login by `logged_in` where the request came with a token that is known to be another's.
    pub(super) async fn refuse_another(&self, logged_in: Option<&str>) -> Result<(), ReauthError> {
        let Principal::Presented(credential) = &self.principal else {
            return Ok(());
        };
        // A client that acts for itself has its id.
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

    /// The person's identities, as far as they are known; empty where nothing is.
    async fn identities_of(
        &self,
        credential: &Credential,
    ) -> Result<BTreeSet<String>, ReauthError> {
        let value = credential.header_value().as_bytes();
        let Some(token) = value.strip_prefix(b"Bearer ") else {
            return Ok(BTreeSet::new());
        };
        // What is kept of the program's own user may not have been read yet.
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
