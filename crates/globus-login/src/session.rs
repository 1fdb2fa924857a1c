//! The Globus Auth session of a token.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::store::LoginRecord;
use globus_gare::gare::AuthorizationParameters;

/// The session in an introspection response.
#[derive(Deserialize)]
pub(super) struct SessionInfo {
    #[serde(default)]
    pub(super) authentications: BTreeMap<String, Authentication>,
}

/// One authentication of an identity in a session.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Authentication {
    /// Seconds since the Unix epoch.
    pub(super) auth_time: u64,
    /// Authentication methods, such as `mfa` (RFC 8176).
    #[serde(default)]
    amr: Option<Vec<String>>,
}

impl Authentication {
    pub(super) fn has_mfa(&self) -> bool {
        let mut amr = self.amr.iter().flatten();
        amr.any(|it| it == "mfa")
    }
}

/// The Globus Auth session of a token.
#[derive(Debug)]
pub(super) enum Session {
    /// The authentications by identity.
    Known(BTreeMap<String, Authentication>),
    /// The token is no longer valid.
    Ended,
    /// Not known: the client has no secret, so that it cannot introspect.
    Unknown,
}

/// The reason why the beginning of the session is not known.
pub(super) enum Missing {
    /// It is not known whether the login satisfies the requirement.
    Met,
    /// The login does not satisfy the requirement.
    Login,
}

/// The beginning of the session that satisfies `required`.
pub(super) fn began(
    record: &LoginRecord,
    required: &AuthorizationParameters,
    session: Session,
) -> Result<SystemTime, Missing> {
    let is_satisfied = record.satisfies(required);
    let authentications = match session {
        Session::Known(authentications) => authentications,
        Session::Ended => return Err(Missing::Login),
        Session::Unknown if is_satisfied => return Ok(record.at()),
        Session::Unknown => return Err(Missing::Met),
    };
    let named = &required.session_required_identities;
    let is_id = |name: &String| name.len() == 36 && !name.contains('@');
    if named.is_empty() || !named.iter().all(is_id) {
        let latest = authentications.values().map(|it| it.auth_time).max();
        return match latest.filter(|_| is_satisfied) {
            Some(latest) => Ok(time(latest)),
            None => Err(Missing::Met),
        };
    }
    let found = named.iter().map(|id| found(&authentications, id, required));
    let found: Option<Vec<u64>> = found.collect();
    let oldest = found.ok_or(Missing::Login)?.into_iter().min();
    let names_more = !required.session_required_policies.is_empty()
        || !required.session_required_single_domain.is_empty();
    match oldest.filter(|_| is_satisfied || !names_more) {
        Some(oldest) => Ok(time(oldest)),
        None => Err(Missing::Met),
    }
}

/// When a required identity authenticated, in seconds since the Unix epoch. `None` if it did not,
/// or not with a required second factor.
fn found(
    authentications: &BTreeMap<String, Authentication>,
    id: &str,
    required: &AuthorizationParameters,
) -> Option<u64> {
    let it = authentications.get(&id.to_ascii_lowercase())?;
    let is_strong = !required.session_required_mfa || it.has_mfa();
    is_strong.then_some(it.auth_time)
}

pub(super) fn time(seconds: u64) -> SystemTime {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.unwrap_or(UNIX_EPOCH)
}
