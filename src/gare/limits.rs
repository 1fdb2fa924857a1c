//! How much a requirement may ask for.

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

const TOO_MANY_VALUES: &str = "more than 64 values in a list";
const LONG_VALUE: &str = "a value of more than 512 bytes";
const LONG_SCOPE: &str = "a scope of more than 4 KiB";
const LARGE_REQUIREMENT: &str = "a requirement of more than 16 KiB";
pub(super) const TOO_MANY_REQUIREMENTS: &str = "more than 64 requirements";

/// A document that is no requirement because it asks for too much.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverLimit {
    /// Where the document is.
    pub location: Location,
    /// The limit that it exceeds, in words: `more than 64 values in a list`.
    pub limit: &'static str,
}

impl AuthorizationParameters {
    /// The limit that these exceed.
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
