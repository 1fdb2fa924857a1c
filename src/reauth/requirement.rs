//! Compares requirements.

use crate::gare::AuthorizationParameters;

/// The requirement of a challenge.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Requirement {
    /// Any credential that the service accepts, after a plain `401`.
    AnyCredential,
    Parameters(AuthorizationParameters),
}

impl Requirement {
    /// Whether a login that satisfies `self` also satisfies `asked`.
    pub(super) fn covers(&self, asked: &Self) -> bool {
        match (self, asked) {
            (_, Self::AnyCredential) => true,
            (Self::AnyCredential, Self::Parameters(_)) => false,
            (Self::Parameters(given), Self::Parameters(asked)) => covers(given, asked),
        }
    }

    /// Whether a service that requires `asked` after a login for `self` requires the same again.
    pub(super) fn is_repeated_by(&self, asked: &Self) -> bool {
        match (self, asked) {
            (Self::AnyCredential, Self::AnyCredential) => true,
            (Self::Parameters(given), Self::Parameters(asked)) => covers(given, asked),
            _ => false,
        }
    }
}

/// Whether a login that satisfied `given` also satisfies `asked`.
///
/// This uses only what Globus Auth documents. All policies and scopes of a list must be met, so a
/// login for a longer list covers a shorter one. One domain of a list must be met, so a login for a
/// shorter list covers a longer one. Identities must be the same. Every login is a fresh one,
/// except a mere consent.
pub(super) fn covers(given: &AuthorizationParameters, asked: &AuthorizationParameters) -> bool {
    if asked.is_empty() {
        return given.requires_session();
    }
    let domains = &asked.session_required_single_domain;
    within(
        &asked.session_required_policies,
        &given.session_required_policies,
    ) && within(&asked.required_scopes, &given.required_scopes)
        && same(
            &asked.session_required_identities,
            &given.session_required_identities,
        )
        && (domains.is_empty()
            || (!given.session_required_single_domain.is_empty()
                && within(&given.session_required_single_domain, domains)))
        && (given.session_required_mfa || !asked.session_required_mfa)
        && (asked.prompt.is_none() || asked.prompt == given.prompt)
}

fn within(part: &[String], whole: &[String]) -> bool {
    part.iter().all(|value| whole.contains(value))
}

/// Whether `asked` is empty, or the same set as `given`.
fn same(asked: &[String], given: &[String]) -> bool {
    asked.is_empty() || (within(asked, given) && within(given, asked))
}
