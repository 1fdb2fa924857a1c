use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::{Scope, TokenResponse};
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::version::digest;
use globus_gare::reauth::{Credential, InvalidCredential};

/// Tokens by resource server.
pub type Tokens = BTreeMap<String, StoredToken>;

/// A token for one resource server, and its refresh token.
///
/// Serialized, it is the object that the Python SDK stores (`TokenStorageData`), with the secrets.
/// `Debug` shows none.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct StoredToken {
    resource_server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_id: Option<String>,
    scope: String,
    access_token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Secret>,
    expires_at_seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
}

impl StoredToken {
    pub(crate) fn of(
        answer: &impl TokenResponse,
        resource_server: &str,
        identity: Option<&str>,
        now: SystemTime,
    ) -> Self {
        let refresh = answer.refresh_token();
        let scopes = answer.scopes().map(Vec::as_slice).unwrap_or_default();
        let scopes: Vec<&str> = scopes.iter().map(|scope: &Scope| scope.as_str()).collect();
        // The stored form needs a time. Without a lifetime, assumes two days, as Globus Auth gives.
        let lifetime = answer.expires_in().unwrap_or(Duration::from_secs(172_800));
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Self {
            resource_server: resource_server.to_owned(),
            identity_id: identity.map(str::to_owned),
            scope: scopes.join(" "),
            access_token: Secret::new(answer.access_token().secret().clone()),
            refresh_token: refresh.map(|token| Secret::new(token.secret().clone())),
            expires_at_seconds: seconds(now).saturating_add(lifetime),
            token_type: Some("Bearer".to_owned()),
        }
    }

    /// Completes a refreshed token: it comes with a new refresh token or none, and does not name
    /// the person.
    pub(crate) fn refreshing(mut self, old: &Self) -> Self {
        self.refresh_token = self.refresh_token.or_else(|| old.refresh_token.clone());
        self.identity_id = old.identity_id.clone();
        if self.scope.is_empty() {
            self.scope = old.scope.clone();
        }
        self
    }

    /// The id of the person to whom the token was issued, if it is known.
    pub fn identity_id(&self) -> Option<&str> {
        self.identity_id.as_deref()
    }

    /// The scopes of the token, separated by spaces, without dependencies.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// When the token expires, in seconds since the Unix epoch.
    pub fn expires_at_seconds(&self) -> i64 {
        self.expires_at_seconds
    }

    pub(crate) fn refresh(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    pub(crate) fn access(&self) -> &Secret {
        &self.access_token
    }

    /// The access token, and the refresh token if there is one.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Secret> + use<> {
        std::iter::once(self.access_token.clone()).chain(self.refresh_token.clone())
    }

    /// Whether the token is valid for longer than `leeway`.
    pub(crate) fn is_fresh(&self, now: SystemTime, leeway: Duration) -> bool {
        self.left(now) > leeway
    }

    /// Whether both are the same access token.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.access_token == other.access_token
    }

    /// Whether both have the same refresh token.
    pub(crate) fn has_refresh_of(&self, other: &Self) -> bool {
        self.refresh_token.is_some() && self.refresh_token == other.refresh_token
    }

    /// A hash of the access token.
    pub(crate) fn fingerprint(&self) -> String {
        digest(self.access_token.expose().as_bytes())
    }

    pub(crate) fn credential(&self, now: SystemTime) -> Result<Credential, InvalidCredential> {
        Ok(Credential::bearer(self.access_token.expose())?.with_lifetime(self.left(now)))
    }

    /// Whether `credential` sends this token.
    pub(crate) fn is_sent_by(&self, credential: &Credential) -> bool {
        let own = Credential::bearer(self.access_token.expose());
        own.is_ok_and(|own| own.header_value() == credential.header_value())
    }

    fn left(&self, now: SystemTime) -> Duration {
        let left = self.expires_at_seconds.saturating_sub(seconds(now));
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken")
            .field("resource_server", &self.resource_server)
            .field("identity_id", &self.identity_id)
            .field("scope", &self.scope)
            .field("expires_at_seconds", &self.expires_at_seconds)
            .field("has_refresh_token", &self.refresh_token.is_some())
            .finish_non_exhaustive()
    }
}

fn seconds(now: SystemTime) -> i64 {
    let since = now.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;

    /// Reads the memory of this process at the place of `text`.
    fn memory_of(text: &str) -> impl Fn() -> Vec<u8> + use<> {
        let (at, length) = (text.as_ptr().addr() as u64, text.len());
        move || {
            let mut bytes = vec![0; length];
            let memory = File::open("/proc/self/mem").expect("our own memory");
            memory.read_exact_at(&mut bytes, at).expect("mapped still");
            bytes
        }
    }

    #[checks::test]
    fn secrets_of_a_dropped_token_are_wiped() {
        let text = |letter: &str| letter.repeat(20_000);
        let token = serde_json::json!({
            "resource_server": "server", "scope": "all", "expires_at_seconds": 1,
            "access_token": text("a"), "refresh_token": text("r"),
        });
        let token: StoredToken = serde_json::from_value(token).expect("a token");
        for (secret, letter) in token.secrets().zip([b'a', b'r']) {
            let memory = memory_of(secret.expose());
            assert_eq!(memory(), vec![letter; 20_000]);
            drop(secret);
            // Other code may use the memory by now, but for no long run of this letter.
            let left = memory();
            let runs = left.split(|byte| *byte != letter).map(<[u8]>::len);
            assert!(runs.max() < Some(1000), "the secret is left in memory");
        }
    }
}
