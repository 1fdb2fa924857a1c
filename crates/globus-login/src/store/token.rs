use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use serde::{Deserialize, Serialize};

use globus_gare::reauth::{Credential, InvalidCredential};

/// Tokens by the resource server that each is for.
pub type Tokens = BTreeMap<String, StoredToken>;

/// A token for one resource server, and what renews it.
///
/// With serde it becomes the object that the Python SDK keeps
/// (`TokenStorageData`): that text holds the secrets. `Debug` does not.
#[derive(Clone, Deserialize, Serialize)]
pub struct StoredToken {
    resource_server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_id: Option<String>,
    scope: String,
    access_token: AccessToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<RefreshToken>,
    expires_at_seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
}

impl StoredToken {
    pub(crate) fn of(
        answer: &impl TokenResponse,
        resource_server: &str,
        identity: Option<&str>,
    ) -> Self {
        let scopes = answer.scopes().map(Vec::as_slice).unwrap_or_default();
        let scopes: Vec<&str> = scopes.iter().map(|scope: &Scope| scope.as_str()).collect();
        // Without a lifetime a token is good until it is refused; the file knows no such thing.
        let lifetime = answer.expires_in().unwrap_or(Duration::from_secs(172_800));
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Self {
            resource_server: resource_server.to_owned(),
            identity_id: identity.map(str::to_owned),
            scope: scopes.join(" "),
            access_token: answer.access_token().clone(),
            refresh_token: answer.refresh_token().cloned(),
            expires_at_seconds: now().saturating_add(lifetime),
            token_type: Some("Bearer".to_owned()),
        }
    }

    /// The token that this one's refresh token gave. It comes with a new refresh
    /// token or none, and says nothing about the person.
    pub(crate) fn renewing(mut self, old: &Self) -> Self {
        self.refresh_token = self.refresh_token.or_else(|| old.refresh_token.clone());
        self.identity_id = old.identity_id.clone();
        if self.scope.is_empty() {
            self.scope = old.scope.clone();
        }
        self
    }

    /// Whose token Globus Auth says it is: its `sub`, where that is known.
    pub fn identity_id(&self) -> Option<&str> {
        self.identity_id.as_deref()
    }

    /// The scopes that it is good for, separated by spaces, without dependencies.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// When it runs out, in seconds since 1970.
    pub fn expires_at_seconds(&self) -> i64 {
        self.expires_at_seconds
    }

    pub(crate) fn access(&self) -> &AccessToken {
        &self.access_token
    }

    pub(crate) fn refresh(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// Whether it is good for longer than `leeway`.
    pub(crate) fn is_fresh(&self, leeway: Duration) -> bool {
        self.left() > leeway
    }

    /// Whether both are the same token, not only tokens for the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.access_token.secret() == other.access_token.secret()
    }

    /// A number that tells it from others, and nothing about it.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.access_token.secret().hash(&mut hasher);
        hasher.finish()
    }

    /// Whether nothing of it would be kept otherwise.
    pub(super) fn is_kept_as(&self, other: &Self) -> bool {
        let secret = |token: &Self| {
            token
                .refresh_token
                .as_ref()
                .map(|token| token.secret().clone())
        };
        self.is(other)
            && secret(self) == secret(other)
            && self.scope == other.scope
            && self.identity_id == other.identity_id
            && self.expires_at_seconds == other.expires_at_seconds
    }

    pub(crate) fn credential(&self) -> Result<Credential, InvalidCredential> {
        Ok(Credential::bearer(self.access_token.secret())?.with_lifetime(self.left()))
    }

    /// Whether `credential` sends this token.
    pub(crate) fn is_sent_by(&self, credential: &Credential) -> bool {
        let own = self.credential();
        own.is_ok_and(|own| own.header_value() == credential.header_value())
    }

    fn left(&self) -> Duration {
        let left = self.expires_at_seconds.saturating_sub(now());
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken")
            .field("resource_server", &self.resource_server)
            .field("identity_id", &self.identity_id)
            .field("scope", &self.scope)
            .field("expires_in", &self.left())
            .field("renewable", &self.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
