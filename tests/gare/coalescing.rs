//! Merging requirements.

use globus_gare::gare::{AuthorizationParameters, Gare, coalesce};

fn params() -> AuthorizationParameters {
    AuthorizationParameters::default()
}

fn coalesced(
    asked: impl IntoIterator<Item = AuthorizationParameters>,
) -> Vec<AuthorizationParameters> {
    let gares = asked
        .into_iter()
        .enumerate()
        .map(|(index, asked)| Gare::new(index.to_string(), asked));
    let merged = coalesce(gares).into_iter();
    merged.map(|gare| gare.authorization_parameters).collect()
}

#[checks::test]
fn single_domains_never_merge() {
    let a = params().with_session_required_single_domain(["a", "b"]);
    let b = params().with_session_required_single_domain(["b", "c"]);
    let a_again = params().with_session_required_single_domain(["b", "a"]);
    assert_eq!(coalesced([a.clone(), b.clone(), a_again]), [a, b]);
}

#[checks::test]
fn parameters_of_one_requirement_stay_together() {
    let with_mfa = params()
        .with_session_required_policies(["p"])
        .with_session_required_mfa(true);
    let policy = params().with_session_required_policies(["p"]);
    let fresh = params();
    let prompt = params().with_required_scopes(["s"]).with_prompt("login");
    let identity = policy.clone().with_session_required_identities(["i"]);
    let domain = policy.clone().with_session_required_single_domain(["d"]);
    let all = [with_mfa, policy, fresh, prompt, identity, domain];
    assert_eq!(coalesced(all.clone()), all);
    assert_eq!(coalesced(all.clone().into_iter().chain(all.clone())), all);
}

#[checks::test]
fn equal_requirements_keep_the_first_message() {
    let said = |asked: AuthorizationParameters, message: &str| asked.with_session_message(message);
    let mfa = || params().with_session_required_mfa(true);
    assert_eq!(
        coalesced([said(mfa(), "one"), said(mfa(), "two"), mfa()]),
        [said(mfa(), "one")]
    );
    let silent = || params().with_required_scopes(["a"]);
    let scopes = || said(params().with_required_scopes(["b"]), "one");
    let policies = || said(params().with_session_required_policies(["p"]), "two");
    let merged = |scopes: [&str; 2]| {
        let asked = params().with_required_scopes(scopes);
        asked.with_session_required_policies(["p"])
    };
    assert_eq!(
        coalesced([scopes(), silent(), policies()]),
        [said(merged(["b", "a"]), "one")]
    );
    // No message is copied from another requirement.
    assert_eq!(
        coalesced([silent(), scopes(), policies()]),
        [merged(["a", "b"])]
    );
}

#[checks::test]
fn repeated_values_appear_once() {
    let policies = params().with_session_required_policies(["p", "q", "p"]);
    let scopes = params().with_required_scopes(["b", "a", "b"]);
    let both = policies.clone().with_required_scopes(["c", "a", "c"]);
    let merged = params()
        .with_session_required_policies(["p", "q"])
        .with_required_scopes(["b", "a", "c"]);
    assert_eq!(coalesced([policies, scopes, both]), [merged]);
}

#[checks::test]
fn message_counts_in_the_size_of_a_merged_requirement() {
    let mut first = params().with_session_required_policies(["p"]);
    first.session_message = Some("m".repeat(10 * 1024));
    let scopes = (0..10).map(|n| format!("{n:01024}"));
    let scopes = params().with_required_scopes(scopes);
    assert_eq!(coalesced([first.clone(), scopes.clone()]), [first, scopes]);
}

#[checks::test]
fn unknown_parameters_keep_requirements_apart() {
    let odd = |text: &str| serde_json::from_str::<AuthorizationParameters>(text).expect(text);
    let new = odd(r#"{"required_scopes": ["a"], "session_required_moon": "full"}"#);
    let plain = odd(r#"{"required_scopes": ["a"]}"#);
    assert_eq!(
        coalesced([new.clone(), plain.clone(), new.clone()]),
        [new, plain]
    );
}

#[checks::test]
fn first_requirement_gives_code_and_other_fields() {
    let gares = [("one", "a", "1"), ("two", "b", "2")].map(|(code, scope, id)| {
        let text = format!(
            r#"{{"code": "{code}", "authorization_parameters": {{"required_scopes": ["{scope}"]}}, "request_id": "{id}"}}"#
        );
        serde_json::from_str::<Gare>(&text).expect("a GARE")
    });
    let merged = coalesce(gares);
    let [merged] = &merged[..] else {
        panic!("{merged:?}");
    };
    assert_eq!(merged.code, "one");
    assert_eq!(merged.authorization_parameters.required_scopes, ["a", "b"]);
    assert_eq!(
        merged.extra.get::<String>("request_id").as_deref(),
        Some("1")
    );
}
