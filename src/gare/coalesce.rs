//! Making few logins of many requirements.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use super::{AuthorizationParameters, Gare, limits};

/// Merges the requirements that one login can provably satisfy together, and keeps the others apart, in order.
///
/// - Policies and scopes must all be satisfied. Requirements that ask for nothing else become one, which asks for all
///   of theirs; it stands where the first of them stood. Where that would exceed what one requirement may ask for (see
///   [limits](super#limits)), the rest is asked for by another.
/// - Requirements that ask for the same become one. Order and repetition within a list make no difference.
/// - Everything else stays as it is. Of the domains in one requirement any will do, so neither the union nor the
///   intersection of two lists means what both mean; identities, MFA and a prompt are satisfied, or not, together with
///   what they came with. A requirement that names nothing asks for a fresh authentication, which consent is not.
///   Unknown parameters may ask for anything.
///
/// The result never asks for less than the requirements that went in. Of those that become one, the first gives the code,
/// the message and the other fields: they tell of one response, and of no other.
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

/// Whether this asks for policies and scopes and nothing else, so that it adds up with others of the kind.
fn adds_up(params: &AuthorizationParameters) -> bool {
    let [identities, policies, domains, scopes] = params.lists();
    let names_some = !policies.is_empty() || !scopes.is_empty();
    let names_no_others = identities.is_empty() && domains.is_empty();
    let asks_no_more = !params.session_required_mfa && params.prompt.is_none();
    names_some && names_no_others && asks_no_more && params.extra.is_empty()
}
