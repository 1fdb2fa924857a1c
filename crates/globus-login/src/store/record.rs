use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::version::digest;
use super::{Holder, Learned, StoredToken};
use crate::scope::Scopes;
use globus_gare::gare::AuthorizationParameters;

/// The record of a user's logins, stored beside the tokens.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LoginRecord {
    /// The number of logins. It never decreases.
    pub(crate) epoch: u64,
    /// The number of logouts. Credentials from before the last one must not be used any longer.
    pub(crate) revision: u64,
    /// The id of the person, if somebody is logged in and the id is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sub: Option<String>,
    /// When the last login ended.
    #[serde(with = "as_seconds")]
    pub(crate) at: SystemTime,
    /// The program that logged in. `None` for a program without records: it is not known which
    /// requirement its login satisfied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<Holder>,
    /// The requirement that the last login satisfied; `None` if it had none. Those of earlier
    /// logins are not kept: the last login replaced their tokens, and a token stands for its own
    /// session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) satisfied: Option<AuthorizationParameters>,
    /// All scopes that the logins asked for, with their dependencies, which tokens do not name.
    #[serde(with = "as_scopes")]
    pub(crate) scopes: Scopes,
    /// The fingerprints of the stored tokens, by resource server.
    #[serde(default)]
    pub(crate) tokens: BTreeMap<String, Listed>,
    /// The requirements of collections and services that challenged a login, by name: at most 32.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) learned: BTreeMap<String, Learned>,
    /// Secrets of removed tokens that are not revoked yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unrevoked: Vec<Secret>,
}

/// A token in the record: its fingerprints.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    pub(crate) access: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh: Option<String>,
    /// Whether Globus Auth rejected the refresh token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_refused: bool,
}

impl Listed {
    pub(crate) fn of(token: &StoredToken) -> Self {
        Self {
            access: token.fingerprint(),
            refresh: token.refresh().map(|it| digest(it.expose().as_bytes())),
            is_refused: false,
        }
    }

    pub(crate) fn is_of(&self, token: &StoredToken) -> bool {
        let other = Self::of(token);
        self.access == other.access && self.refresh == other.refresh
    }
}

/// A stored login that cannot be read. It shows nothing of the content, as an error of serde would.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the login has another format: a newer program may have written it")]
pub(crate) struct OtherFormat;

impl LoginRecord {
    /// Reads a record. Unknown members are ignored: a newer version may add some.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, OtherFormat> {
        serde_json::from_slice(text).map_err(|_| OtherFormat)
    }

    /// As [`Login::epoch`](super::Login::epoch).
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The id of the person, if somebody is logged in and the id is known.
    pub fn sub(&self) -> Option<&str> {
        self.sub.as_deref()
    }

    /// When the last login ended.
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// The program that logged in. `None` for a program without records.
    pub fn by(&self) -> Option<&Holder> {
        self.by.as_ref()
    }

    /// All scopes that the logins asked for, with their dependencies, except those that a person
    /// allowed for one login.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The requirements of collections, by id, and of services, by resource server, that refused a
    /// login. At most 32 are kept: for a new one, the one that changed least recently is forgotten.
    /// A logout forgets all.
    pub fn learned(&self) -> impl Iterator<Item = (&str, &Learned)> {
        self.learned.iter().map(|(place, it)| (&**place, it))
    }

    /// Whether the last login satisfied `required`.
    pub(crate) fn satisfies(&self, required: &AuthorizationParameters) -> bool {
        let session = |asked: &AuthorizationParameters| {
            let mut asked = asked.clone();
            asked.session_message = None;
            asked.required_scopes.clear();
            asked.to_query()
        };
        let scopes = required.required_scopes.iter().map(|text| text.parse());
        let mut scopes = scopes.map(|scopes| scopes.is_ok_and(|scopes| self.covers(&scopes)));
        // Scopes that the person allowed for one login are in `satisfied` alone.
        let is_same_as_before = || {
            let mut satisfied = self.satisfied.iter();
            satisfied.any(|it| it.required_scopes == required.required_scopes)
        };
        let is_same_session = || {
            let mut satisfied = self.satisfied.iter();
            satisfied.any(|it| it.requires_session() && session(it) == session(required))
        };
        (scopes.all(|is_covered| is_covered) || is_same_as_before())
            && (!required.requires_session() || is_same_session())
    }

    /// Whether the logins asked for all of these scopes, with their dependencies.
    pub(crate) fn covers(&self, wanted: &Scopes) -> bool {
        self.scopes.covers(wanted)
    }
}

/// A time as it is stored: in whole seconds.
pub(crate) fn whole_seconds(at: SystemTime) -> SystemTime {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// A time as seconds since the Unix epoch.
pub(crate) mod as_seconds {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        to.serialize_u64(since.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let since = Duration::from_secs(u64::deserialize(from)?);
        Ok(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))
    }
}

/// Scopes as one text.
pub(crate) mod as_scopes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::scope::Scopes;

    pub(crate) fn serialize<S: Serializer>(scopes: &Scopes, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(scopes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Scopes, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
