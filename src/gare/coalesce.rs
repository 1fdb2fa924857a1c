//! Making few logins of many requirements.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use super::{AuthorizationParameters, Gare};

/// Merges the requirements that one login can provably satisfy together, and keeps the others apart, in order.
///
/// - Policies and scopes must all be satisfied. Requirements that ask for nothing else become one, which asks for all
///   of theirs; it stands where the first of them stood.
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
    // Where the requirement with this key is. All that add up share one place.
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    let mut policies = HashSet::new();
    let mut scopes = HashSet::new();
    for mut gare in gares {
        let params = &mut gare.authorization_parameters;
        let adds_up = adds_up(params);
        if adds_up {
            params
                .session_required_policies
                .retain(|policy| policies.insert(policy.clone()));
            params
                .required_scopes
                .retain(|scope| scopes.insert(scope.clone()));
        }
        let key = (!adds_up).then(|| params.requirement_key());
        match places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(gare);
            }
            Entry::Occupied(place) => {
                if let Some(first) = kept.get_mut(*place.get()) {
                    let params = gare.authorization_parameters;
                    let first = &mut first.authorization_parameters;
                    first.session_message = first.session_message.take().or(params.session_message);
                    if adds_up {
                        first
                            .session_required_policies
                            .extend(params.session_required_policies);
                        first.required_scopes.extend(params.required_scopes);
                    }
                }
            }
        }
    }
    kept
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
