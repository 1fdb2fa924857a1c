//! Comparing what is asked with what a login gives.

use std::collections::HashSet;

use crate::gare::AuthorizationParameters;

/// Up to so many comparisons cost less than a set.
const FEW: usize = 64;

/// Whether a login that satisfied `given` also satisfies `asked`.
///
/// Only what Globus Auth documents is used: policies and scopes are all to be
/// met, so more of them give less of them; a single domain is one out of a list,
/// so a shorter list gives a longer one. Identities are the same or they are
/// not. Any login of a person, though not a mere consent, is a fresh one.
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
    if part.len() * whole.len() <= FEW {
        return part.iter().all(|value| whole.contains(value));
    }
    let whole: HashSet<&String> = whole.iter().collect();
    part.iter().all(|value| whole.contains(value))
}

/// Nothing asked, or the same set.
fn same(asked: &[String], given: &[String]) -> bool {
    asked.is_empty() || (within(asked, given) && within(given, asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(change: impl FnOnce(&mut AuthorizationParameters)) -> AuthorizationParameters {
        let mut parameters = AuthorizationParameters::default();
        change(&mut parameters);
        parameters
    }

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[checks::test]
    fn login_covers_only_what_it_satisfies() {
        let fresh = asking(|_| {});
        let policies = |p: &[&str]| asking(|a| a.session_required_policies = list(p));
        let scopes = |s: &[&str]| asking(|a| a.required_scopes = list(s));
        let domain = |d: &[&str]| asking(|a| a.session_required_single_domain = list(d));
        let identities = |i: &[&str]| asking(|a| a.session_required_identities = list(i));
        let mfa = asking(|a| a.session_required_mfa = true);
        let prompt = asking(|a| a.prompt = Some("login".into()));
        for (given, asked, covered) in [
            (&fresh, &fresh, true),
            (&policies(&["p"]), &fresh, true),
            (&scopes(&["s"]), &fresh, false),
            (&policies(&["p", "q"]), &policies(&["q"]), true),
            (&policies(&["p"]), &policies(&["p", "q"]), false),
            (&scopes(&["a", "b"]), &scopes(&["b"]), true),
            (&scopes(&["a"]), &policies(&["a"]), false),
            (&domain(&["a"]), &domain(&["a", "b"]), true),
            (&domain(&["a", "b"]), &domain(&["a"]), false),
            (&fresh, &domain(&["a"]), false),
            (&identities(&["i", "j"]), &identities(&["j", "i"]), true),
            (&identities(&["i", "j"]), &identities(&["i"]), false),
            (&mfa, &mfa, true),
            (&fresh, &mfa, false),
            (&prompt, &prompt, true),
            (&fresh, &prompt, false),
            (&mfa, &fresh, true),
        ] {
            assert_eq!(covers(given, asked), covered, "{given:?} covers {asked:?}");
        }
    }
}
