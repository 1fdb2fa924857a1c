//! Merges requirements that one login can satisfy.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{AuthorizationParameters, Gare, limits};

/// Merges requirements that one login certainly satisfies together. The others stay separate, in
/// order.
///
/// - Requirements with policies and scopes alone are merged into the first of them: a login must
///   satisfy all policies and all scopes anyway. If the merged requirement would exceed a
///   [`Limit`](super::Limit), another one is begun.
/// - Equal requirements become one. Order and repetition within a list make no difference.
/// - Other requirements stay as they are. A login satisfies *one* of the domains in a list, so
///   neither the union nor the intersection of two lists has the meaning of both. Identities, MFA
///   and a prompt belong to the requirement that they came with. A requirement without conditions
///   is a fresh login, and a consent is not one. The meaning of unknown parameters is not known.
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
    // Where the requirement with this key is.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut sum = Sum::default();
    for mut gare in gares {
        let params = &mut gare.authorization_parameters;
        if adds_up(params) {
            let earlier = sum.place.and_then(|place| kept.get_mut(place));
            if !earlier
                .is_some_and(|earlier| sum.add(&mut earlier.authorization_parameters, params))
            {
                sum = Sum::default();
                sum.add(&mut AuthorizationParameters::default(), params);
                sum.place = Some(kept.len());
                unique(&mut params.session_required_policies);
                unique(&mut params.required_scopes);
                kept.push(gare);
            }
        } else if let Entry::Vacant(place) = places.entry(params.requirement_key()) {
            place.insert(kept.len());
            kept.push(gare);
        }
    }
    kept
}

fn unique(values: &mut Vec<String>) {
    let mut known = HashSet::new();
    values.retain(|value| known.insert(value.clone()));
}

/// Requirements that add up.
#[derive(Default)]
struct Sum {
    /// Where the first of them stands, which takes in the others.
    place: Option<usize>,
    policies: HashSet<String>,
    scopes: HashSet<String>,
    bytes: usize,
}

impl Sum {
    /// Adds `params` to `sum`, unless that is more than one requirement may ask for.
    fn add(&mut self, sum: &mut AuthorizationParameters, params: &AuthorizationParameters) -> bool {
        let policies = new(&params.session_required_policies, &self.policies);
        let scopes = new(&params.required_scopes, &self.scopes);
        let added = policies
            .iter()
            .chain(&scopes)
            .map(String::len)
            .sum::<usize>();
        let policies_after = self.policies.len() + policies.len();
        let scopes_after = self.scopes.len() + scopes.len();
        let fits = policies_after.max(scopes_after) <= limits::VALUES
            && self.bytes + added <= limits::REQUIREMENT;
        if self.place.is_some() && added > 0 && !fits {
            return false;
        }
        self.bytes += added;
        self.policies.extend(policies.iter().cloned());
        self.scopes.extend(scopes.iter().cloned());
        sum.session_required_policies.extend(policies);
        sum.required_scopes.extend(scopes);
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
fn adds_up(params: &AuthorizationParameters) -> bool {
    let [identities, policies, domains, scopes] = params.lists();
    let names_some = !policies.is_empty() || !scopes.is_empty();
    let names_no_others = identities.is_empty() && domains.is_empty();
    let asks_no_more = !params.session_required_mfa && params.prompt.is_none();
    names_some && names_no_others && asks_no_more && params.extra.is_empty()
}
