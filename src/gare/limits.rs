//! Bounds on the size of a requirement.

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

const TOO_MANY_VALUES: &str = "more than 64 values in a list";
const LONG_VALUE: &str = "a value of more than 512 bytes";
const LONG_SCOPE: &str = "a scope of more than 4 KiB";
const LARGE_REQUIREMENT: &str = "a requirement of more than 16 KiB";
pub(super) const TOO_MANY_REQUIREMENTS: &str = "more than 64 requirements";

/// A document that is no requirement because it exceeds a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverLimit {
    /// The place of the document in the body.
    pub location: Location,
    /// The limit that it exceeds, in words: `more than 64 values in a list`.
    pub limit: &'static str,
}

impl AuthorizationParameters {
    /// The first limit that these parameters exceed.
    pub(super) fn over_limit(&self) -> Option<&'static str> {
        let mut total = self.extra.size() + self.session_message.as_ref().map_or(0, String::len);
        let [identities, policies, domains, scopes] = self.lists();
        for (values, longest, limit) in [
            (&identities[..], VALUE, LONG_VALUE),
            (policies, VALUE, LONG_VALUE),
            (domains, VALUE, LONG_VALUE),
            (scopes, SCOPE, LONG_SCOPE),
            (self.prompt.as_slice(), VALUE, LONG_VALUE),
        ] {
            if values.len() > VALUES {
                return Some(TOO_MANY_VALUES);
            }
            if values.iter().any(|value| value.len() > longest) {
                return Some(limit);
            }
            total += values.iter().map(String::len).sum::<usize>();
        }
        (total > REQUIREMENT).then_some(LARGE_REQUIREMENT)
    }
}
