//! Making few logins of many requirements.

use std::collections::{HashMap, HashSet};

use super::{AuthorizationParameters, Gare, limits};

/// Merges the requirements that one login can provably satisfy together, and keeps the others apart, in order.
///
/// - Policies and scopes must all be satisfied. Requirements that ask for nothing else become one, which asks for all
///   of theirs; it stands where the first of them stood. Where that would exceed what one requirement may ask for (see
///   [`Limit`](super::Limit)), the rest is asked for by another.
/// - Requirements that ask for the same become one. Order and repetition within a list make no difference.
/// - Everything else stays as it is. Of the domains in one requirement any will do, so neither the union nor the
///   intersection of two lists means what both mean; identities, MFA and a prompt are satisfied, or not, together with
///   what they came with. A requirement that names nothing asks for a fresh authentication, which consent is not.
///   Unknown parameters may ask for anything.
///
/// The result never asks for less than the requirements that went in. Of those that become one, the first gives the code
/// and the other fields (they tell of one response, and of no other), and the first that has a message gives that:
/// messages are for people, and two of them strung together rarely make sense.
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
    let mut sum: Option<Sum> = None;
    for gare in gares {
        let params = &gare.authorization_parameters;
        let place = if adds_up(params) {
            sum.as_mut()
                .and_then(|sum| sum.add(params).then_some(sum.place))
        } else {
            places.get(&params.requirement_key()).copied()
        };
        let earlier = place.and_then(|place| kept.get_mut(place));
        if let Some(earlier) = earlier {
            let message = &mut earlier.authorization_parameters.session_message;
            *message = message
                .take()
                .or(gare.authorization_parameters.session_message);
            continue;
        }
        if adds_up(params) {
            let full = sum.replace(Sum::of(kept.len(), params));
            full.into_iter().for_each(|sum| sum.put_into(&mut kept));
        } else {
            places.insert(params.requirement_key(), kept.len());
        }
        kept.push(gare);
    }
    sum.into_iter().for_each(|sum| sum.put_into(&mut kept));
    kept
}

/// Requirements that add up.
struct Sum {
    /// Where the first of them stands.
    place: usize,
    policies: Union,
    scopes: Union,
}

impl Sum {
    fn of(place: usize, params: &AuthorizationParameters) -> Self {
        let mut sum = Self {
            place,
            policies: Union::default(),
            scopes: Union::default(),
        };
        sum.policies.extend(&params.session_required_policies);
        sum.scopes.extend(&params.required_scopes);
        sum
    }

    /// Adds `params`, unless that is more than one requirement may ask for.
    fn add(&mut self, params: &AuthorizationParameters) -> bool {
        let (policies, scopes) = (&params.session_required_policies, &params.required_scopes);
        let (policy_values, policy_bytes) = self.policies.with(policies);
        let (scope_values, scope_bytes) = self.scopes.with(scopes);
        let fits = policy_values.max(scope_values) <= limits::VALUES
            && policy_bytes + scope_bytes <= limits::REQUIREMENT;
        let adds_none =
            policy_values == self.policies.values.len() && scope_values == self.scopes.values.len();
        if fits || adds_none {
            self.policies.extend(policies);
            self.scopes.extend(scopes);
        }
        fits || adds_none
    }

    fn put_into(self, kept: &mut [Gare]) {
        if let Some(first) = kept.get_mut(self.place) {
            first.authorization_parameters.session_required_policies = self.policies.values;
            first.authorization_parameters.required_scopes = self.scopes.values;
        }
    }
}

/// Values, each once, in the order in which they came.
#[derive(Default)]
struct Union {
    values: Vec<String>,
    known: HashSet<String>,
    bytes: usize,
}

impl Union {
    /// How many values and bytes there would be with `values`.
    fn with(&self, values: &[String]) -> (usize, usize) {
        let new = values.iter().filter(|value| !self.known.contains(*value));
        let new: HashSet<&String> = new.collect();
        let bytes: usize = new.iter().map(|value| value.len()).sum();
        (self.values.len() + new.len(), self.bytes + bytes)
    }

    fn extend(&mut self, values: &[String]) {
        for value in values {
            if self.known.insert(value.clone()) {
                self.values.push(value.clone());
                self.bytes += value.len();
            }
        }
    }
}

/// Whether this asks for policies and scopes and nothing else, so that it adds up with others of the kind.
fn adds_up(params: &AuthorizationParameters) -> bool {
    let AuthorizationParameters {
        session_message: _,
        session_required_identities,
        session_required_policies,
        session_required_single_domain,
        session_required_mfa,
        required_scopes,
        prompt,
        extra,
    } = params;
    let names_some = !session_required_policies.is_empty() || !required_scopes.is_empty();
    let names_others = !session_required_identities.is_empty()
        || !session_required_single_domain.is_empty()
        || *session_required_mfa
        || prompt.is_some()
        || !extra.is_empty();
    names_some && !names_others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks() -> AuthorizationParameters {
        AuthorizationParameters::default()
    }

    fn coalesced(
        params: impl IntoIterator<Item = AuthorizationParameters>,
    ) -> Vec<AuthorizationParameters> {
        let gares = params
            .into_iter()
            .enumerate()
            .map(|(index, params)| Gare::new(index.to_string(), params));
        coalesce(gares)
            .into_iter()
            .map(|gare| gare.authorization_parameters)
            .collect()
    }

    #[checks::test]
    fn domains_never_merge() {
        let a = asks().with_session_required_single_domain(["a", "b"]);
        let b = asks().with_session_required_single_domain(["b", "c"]);
        let a_again = asks().with_session_required_single_domain(["b", "a"]);
        assert_eq!(coalesced([a.clone(), b.clone(), a_again]), [a, b]);
    }

    #[checks::test]
    fn what_goes_with_others_stays_with_them() {
        let with_mfa = asks()
            .with_session_required_policies(["p"])
            .with_session_required_mfa(true);
        let policy = asks().with_session_required_policies(["p"]);
        let fresh = asks();
        let prompt = asks().with_required_scopes(["s"]).with_prompt("login");
        let all = [with_mfa, policy, fresh, prompt];
        assert_eq!(coalesced(all.clone()), all);
        assert_eq!(coalesced(all.clone().into_iter().chain(all.clone())), all);
    }

    #[checks::test]
    fn the_first_message_stays() {
        let silent = asks().with_required_scopes(["a"]);
        let one = asks()
            .with_required_scopes(["b"])
            .with_session_message("one");
        let two = asks()
            .with_session_required_policies(["p"])
            .with_session_message("two");
        let merged = asks()
            .with_required_scopes(["a", "b"])
            .with_session_required_policies(["p"])
            .with_session_message("one");
        assert_eq!(coalesced([silent, one, two]), [merged]);
    }

    #[checks::test]
    fn unknown_parameters_keep_apart() {
        let odd =
            |json: &str| serde_json::from_str::<AuthorizationParameters>(json).unwrap_or_default();
        let new = odd(r#"{"required_scopes": ["a"], "session_required_moon": "full"}"#);
        let plain = odd(r#"{"required_scopes": ["a"]}"#);
        assert_eq!(
            coalesced([new.clone(), plain.clone(), new.clone()]),
            [new, plain]
        );
    }

    #[checks::test]
    fn the_first_gives_code_and_other_fields() {
        let first = r#"{"code": "one", "authorization_parameters": {"required_scopes": ["a"]}, "request_id": "1"}"#;
        let second = r#"{"code": "two", "authorization_parameters": {"required_scopes": ["b"]}, "request_id": "2"}"#;
        let gares = [first, second]
            .into_iter()
            .flat_map(serde_json::from_str::<Gare>);
        let merged = coalesce(gares);
        assert_eq!(merged.len(), 1);
        assert_eq!(
            merged
                .iter()
                .map(|gare| gare.code.as_str())
                .collect::<Vec<_>>(),
            ["one"]
        );
        assert_eq!(
            merged
                .iter()
                .filter_map(|gare| gare.extra.get("request_id"))
                .collect::<Vec<String>>(),
            ["1"]
        );
    }
}
