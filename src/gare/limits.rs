//! Bounds on the size of a requirement.

use std::fmt;

use super::{AuthorizationParameters, Location};

/// Values in a list.
pub(super) const VALUES: usize = 64;
/// Bytes of a value.
const VALUE: usize = 512;
/// Bytes of a scope, with the scopes that it depends on.
const SCOPE: usize = 4 << 10;
/// Bytes of all parameters of a requirement together.
pub(super) const REQUIREMENT: usize = 16 << 10;
/// Requirements in a body.
pub(super) const REQUIREMENTS: usize = 64;

/// A bound on the size of a requirement. A document that exceeds one is no requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// 64 values in a list.
    Values,
    /// 512 bytes for a value of a list or for the prompt.
    Value,
    /// 4 KiB for a scope.
    Scope,
    /// 16 KiB for all parameters of a requirement together.
    Requirement,
    /// 64 requirements in a body: those that come later are left out.
    Requirements,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Values => "more than 64 values in a list",
            Self::Value => "a value of more than 512 bytes",
            Self::Scope => "a scope of more than 4 KiB",
            Self::Requirement => "a requirement of more than 16 KiB",
            Self::Requirements => "more than 64 requirements",
        })
    }
}

/// A document that is no requirement because it exceeds a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverLimit {
    /// The place of the document in the body.
    pub location: Location,
    /// The limit that it exceeds.
    pub limit: Limit,
}

impl AuthorizationParameters {
    /// The first limit that these parameters exceed.
    pub(super) fn over_limit(&self) -> Option<Limit> {
        let mut total = self.extra.size() + self.session_message.as_ref().map_or(0, String::len);
        let [identities, policies, domains, scopes] = self.lists();
        for (values, longest, limit) in [
            (&identities[..], VALUE, Limit::Value),
            (policies, VALUE, Limit::Value),
            (domains, VALUE, Limit::Value),
            (scopes, SCOPE, Limit::Scope),
            (self.prompt.as_slice(), VALUE, Limit::Value),
        ] {
            if values.len() > VALUES {
                return Some(Limit::Values);
            }
            if values.iter().any(|value| value.len() > longest) {
                return Some(limit);
            }
            total += values.iter().map(String::len).sum::<usize>();
        }
        (total > REQUIREMENT).then_some(Limit::Requirement)
    }
}
