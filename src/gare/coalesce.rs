//! Merges requirements that one login can satisfy.

use std::collections::HashSet;

use super::{AuthorizationParameters, Gare, limits};

/// Merges requirements that one login certainly satisfies together. The others stay separate, in
/// order.
///
/// - Requirements with policies and scopes alone are merged into the first of them: a login must
///   satisfy all policies and all scopes anyway. If the merged requirement would exceed a
///   [limit](super#limits), another one is begun.
/// - Equal requirements become one. Order and repetition within a list make no difference.
/// - Other requirements stay as they are. A login satisfies *one* of the domains in a list, so
///   neither the union nor the intersection of two lists has the meaning of both. Identities, MFA
///   and a prompt belong to the requirement that they came with. A requirement without conditions
///   requires a fresh login, which a consent is not. The meaning of unknown parameters is not
///   known.
///
/// The result never requires less than the requirements that went in. A merged requirement has the
/// code, the message and the other fields of the first: they describe one response only.
///
/// ```
/// use globus_gare::gare::{AuthorizationParameters, Gare, coalesce};
///
/// let asks = AuthorizationParameters::default;
/// let merged = coalesce([
///     Gare::new("ConsentRequired", asks().with_required_scopes(["a"])),
///     Gare::new("AuthorizationRequired", asks().with_session_required_mfa(true)),
///     Gare::new("AuthorizationRequired", asks().with_session_required_policies(["p"]).with_required_scopes(["b", "a"])),
/// ]);
/// assert_eq!(merged.len(), 2);
/// assert_eq!(merged[0].authorization_parameters.required_scopes, ["a", "b"]);
/// assert_eq!(merged[0].authorization_parameters.session_required_policies, ["p"]);
/// assert!(merged[1].authorization_parameters.session_required_mfa);
/// ```
pub fn coalesce(gares: impl IntoIterator<Item = Gare>) -> Vec<Gare> {
    let mut kept: Vec<Gare> = Vec::new();
    let mut keys = HashSet::new();
    let mut merged = Merged::default();
    for mut gare in gares {
        let params = &mut gare.authorization_parameters;
        if !is_mergeable(params) {
            if keys.insert(params.requirement_key()) {
                kept.push(gare);
            }
            continue;
        }
        let first = merged.first.and_then(|first| kept.get_mut(first));
        if !first.is_some_and(|first| merged.add(&mut first.authorization_parameters, params)) {
            // The message of the first requirement counts, too.
            let bytes = params.session_message.as_ref().map_or(0, String::len);
            merged = Merged {
                bytes,
                ..Merged::default()
            };
            merged.add(&mut AuthorizationParameters::default(), params);
            merged.first = Some(kept.len());
            unique(&mut params.session_required_policies);
            unique(&mut params.required_scopes);
            kept.push(gare);
        }
    }
    kept
}

fn unique(values: &mut Vec<String>) {
    let mut known = HashSet::new();
    values.retain(|value| known.insert(value.clone()));
}

/// The policies and scopes of the requirements that are merged into one.
#[derive(Default)]
struct Merged {
    /// The index of the first requirement, which takes in the others.
    first: Option<usize>,
    policies: HashSet<String>,
    scopes: HashSet<String>,
    bytes: usize,
}

impl Merged {
    /// Adds `params` to `first`; `false` if the result would exceed a limit.
    fn add(
        &mut self,
        first: &mut AuthorizationParameters,
        params: &AuthorizationParameters,
    ) -> bool {
        let policies = new(&params.session_required_policies, &self.policies);
        let scopes = new(&params.required_scopes, &self.scopes);
        let added: usize = policies.iter().chain(&scopes).map(String::len).sum();
        let policies_after = self.policies.len() + policies.len();
        let scopes_after = self.scopes.len() + scopes.len();
        let fits = policies_after.max(scopes_after) <= limits::VALUES
            && self.bytes + added <= limits::REQUIREMENT;
        if self.first.is_some() && added > 0 && !fits {
            return false;
        }
        self.bytes += added;
        self.policies.extend(policies.iter().cloned());
        self.scopes.extend(scopes.iter().cloned());
        first.session_required_policies.extend(policies);
        first.required_scopes.extend(scopes);
        true
    }
}

/// The values that are not known, each once.
fn new(values: &[String], known: &HashSet<String>) -> Vec<String> {
    let mut values = values.to_vec();
    unique(&mut values);
    values.retain(|value| !known.contains(value));
    values
}

/// Whether the only conditions are policies and scopes, so that the requirement can be merged.
fn is_mergeable(params: &AuthorizationParameters) -> bool {
    let [identities, policies, domains, scopes] = params.lists();
    let names_some = !policies.is_empty() || !scopes.is_empty();
    let names_no_others = identities.is_empty() && domains.is_empty();
    let asks_no_more = !params.session_required_mfa && params.prompt.is_none();
    names_some && names_no_others && asks_no_more && params.extra.is_empty()
}
