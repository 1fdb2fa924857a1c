//! How much a requirement may ask for.

use std::fmt;

use super::{AuthorizationParameters, Location};

/// How many values a list may hold.
pub(super) const VALUES: usize = 64;
/// How long a value may be, in bytes.
const VALUE: usize = 512;
/// How long a scope may be, with those that it depends on.
const SCOPE: usize = 4 << 10;
/// How long all that a requirement says may be together.
pub(super) const REQUIREMENT: usize = 16 << 10;
/// How many requirements a body may hold.
pub(super) const REQUIREMENTS: usize = 64;

/// A limit on what a requirement may ask for. A document that exceeds one is no requirement.
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

/// A document that is no requirement because it asks for too much.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverLimit {
    /// Where the document is.
    pub location: Location,
    /// The limit that it exceeds.
    pub limit: Limit,
}

impl AuthorizationParameters {
    /// The limit that these exceed.
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
