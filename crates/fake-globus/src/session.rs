//! Sessions, with their authentications, and the demands of collections and policies on them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::identity::{Identity, User};

/// An authentication of an identity.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Authentication {
    pub(super) at: SystemTime,
    pub(super) mfa: bool,
}

/// The authentications of a token. A refreshed token keeps its session, and the tokens of a later
/// login get a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) authentications: BTreeMap<Uuid, Authentication>,
}

impl Session {
    pub(super) fn new(authentications: BTreeMap<Uuid, Authentication>) -> Self {
        Self {
            id: Uuid::new_v4(),
            authentications,
        }
    }

    pub(super) fn of_one(identity: Uuid, at: SystemTime) -> Self {
        Self::new(BTreeMap::from([(
            identity,
            Authentication { at, mfa: false },
        )]))
    }

    /// A copy of the session that is older than any policy allows.
    pub(super) fn expired(&self) -> Self {
        let mut session = self.clone();
        for authentication in session.authentications.values_mut() {
            authentication.at = UNIX_EPOCH;
        }
        session
    }

    /// The time of the last authentication.
    pub(super) fn latest(&self) -> Option<SystemTime> {
        self.authentications
            .values()
            .map(|authentication| authentication.at)
            .max()
    }
}

/// The error message for a demand that [no session can satisfy](Demand::is_never_met). `guarded` is
/// what the demand belongs to, such as `group "Climate"`.
pub(super) fn never_met(guarded: &str) -> String {
    format!("no session satisfies the 0 minutes of the {guarded}")
}

/// What a collection or a policy demands of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    /// All of these usernames or ids.
    pub(super) identities: Vec<String>,
    /// One of these domains.
    pub(super) domains: Vec<String>,
    /// None of these domains.
    pub(super) excluded_domains: Vec<String>,
    pub(super) mfa: bool,
    pub(super) max_age: Option<Duration>,
}

impl Demand {
    pub(super) fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes.saturating_mul(60))
    }

    pub(super) fn max_minutes(&self) -> Option<u64> {
        self.max_age.map(|age| age.as_secs() / 60)
    }

    /// Whether no session can satisfy the demand: its maximal age is zero.
    pub(super) fn is_never_met(&self) -> bool {
        self.max_age.is_some_and(|age| age.is_zero())
    }

    pub(super) fn is_met(&self, session: &Session, user: &User, now: SystemTime) -> bool {
        let strong = |identity: &Identity| {
            session
                .authentications
                .get(&identity.id())
                .is_some_and(|found| self.accepts(*found, now))
        };
        if self.identities.is_empty() {
            user.identities()
                .any(|identity| self.allows_domain(identity) && strong(identity))
        } else {
            self.identities.iter().all(|wanted| {
                user.identities()
                    .any(|identity| identity.is_named(wanted) && strong(identity))
            })
        }
    }

    /// Whether an authentication is recent enough, and has the second factor if one is demanded.
    pub(super) fn accepts(&self, authentication: Authentication, now: SystemTime) -> bool {
        let age = now.duration_since(authentication.at).unwrap_or_default();
        self.max_age.is_none_or(|max| age <= max) && (authentication.mfa || !self.mfa)
    }

    pub(super) fn allows_domain(&self, identity: &Identity) -> bool {
        let is_included = self.domains.is_empty() || identity.is_from(&self.domains);
        is_included && !identity.is_from(&self.excluded_domains)
    }
}
