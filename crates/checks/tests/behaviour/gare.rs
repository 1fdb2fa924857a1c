//! Properties of detection and of merging.

use checks::corpus::rows;
use globus_gare::gare::{AuthorizationParameters, Gare, coalesce, detect};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};

fn bodies() -> Vec<String> {
    rows().map(|row| row.body).collect()
}

/// A body of the corpus with some bytes replaced, removed or inserted.
fn mutated_body() -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..3_u8,
        select(&b"{}[]\",:\\rnu0-5 \xff"[..]),
    );
    (select(bodies()), vec(edit, 0..12)).prop_map(|(body, edits)| {
        let mut body = body.into_bytes();
        for (index, kind, byte) in edits {
            if body.is_empty() {
                break;
            }
            let at = index.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.insert(at, byte),
            }
        }
        body
    })
}

/// A concatenation of tokens that the parsers treat specially.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(vec![
            "GridFTP-JSON-Result:", "530-", "530 ", "\r\n", r"\r\n", r"\\r\\n", "%0D%0A", "{", "}", "[", "]", "\"", r#"\""#,
            r#"\\\""#, "\\", ":", ",", " ", "null", "true", "NaN", r"\ud800", r"\u0061", "authorization_parameters",
            "session_required_mfa", "\"errors\":[", "\"detail\":{", "not_from_allowed_domain#1.0.0", "\u{feff}", "é",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn parameters() -> impl Strategy<Value = AuthorizationParameters> {
    let items = || vec(select(vec!["a", "b", "c"]), 0..3);
    let maybe = || prop_oneof![2 => Just(Vec::new()), 1 => items()];
    let message = weighted(0.5, select(vec!["one", "two"]));
    let fields = (
        maybe(),
        items(),
        maybe(),
        any::<u8>(),
        items(),
        weighted(0.1, Just("login")),
        message,
    );
    fields.prop_map(
        |(identities, policies, domains, mfa, scopes, prompt, message)| {
            let mut params = AuthorizationParameters::default()
                .with_session_required_identities(identities)
                .with_session_required_policies(policies)
                .with_session_required_single_domain(domains)
                .with_session_required_mfa(mfa < 40)
                .with_required_scopes(scopes);
            params.prompt = prompt.map(str::to_owned);
            params.session_message = message.map(str::to_owned);
            params
        },
    )
}

fn gares() -> impl Strategy<Value = Vec<Gare>> {
    vec(parameters(), 0..8).prop_map(|params| {
        params
            .into_iter()
            .enumerate()
            .map(|(n, params)| Gare::new(n.to_string(), params))
            .collect()
    })
}

/// Whether this requires more than policies and scopes, or is empty. Such a requirement is not
/// merged.
fn stands_alone(params: &AuthorizationParameters) -> bool {
    params.is_empty()
        || params.session_required_mfa
        || params.prompt.is_some()
        || !params.session_required_identities.is_empty()
        || !params.session_required_single_domain.is_empty()
}

fn set(items: &[String]) -> Vec<&String> {
    let mut items: Vec<_> = items.iter().collect();
    items.sort();
    items.dedup();
    items
}

fn same_requirement(one: &AuthorizationParameters, other: &AuthorizationParameters) -> bool {
    set(&one.session_required_identities) == set(&other.session_required_identities)
        && set(&one.session_required_policies) == set(&other.session_required_policies)
        && set(&one.session_required_single_domain) == set(&other.session_required_single_domain)
        && one.session_required_mfa == other.session_required_mfa
        && set(&one.required_scopes) == set(&other.required_scopes)
        && one.prompt == other.prompt
}

/// Whether satisfying `merged` satisfies `asked`.
fn covers(merged: &AuthorizationParameters, asked: &AuthorizationParameters) -> bool {
    if stands_alone(asked) {
        return same_requirement(merged, asked);
    }
    !stands_alone(merged)
        && asked
            .session_required_policies
            .iter()
            .all(|policy| merged.session_required_policies.contains(policy))
        && asked
            .required_scopes
            .iter()
            .all(|scope| merged.required_scopes.contains(scope))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[checks::test(seconds = 600)]
    fn detect_accepts_any_bytes(body in vec(any::<u8>(), 0..200)) {
        detect(&body);
        detect(&[b"530-GridFTP-JSON-Result: {", &body[..]].concat());
        detect(&[b"{\"authorization_parameters\":", &body[..]].concat());
    }

    #[checks::test(seconds = 600)]
    fn detect_accepts_fragments_of_documents(body in fragments()) {
        detect(body.as_bytes());
        detect(format!("{{\"authorization_parameters\": {body}").as_bytes());
        detect(format!("530-GridFTP-JSON-Result: {{{body}").as_bytes());
    }

    /// A text contains the same replies in any JSON spelling.
    #[checks::test(seconds = 600)]
    fn json_wrapping_keeps_the_replies_of_a_text(text in fragments()) {
        let text = format!("530-GridFTP-JSON-Result: {text}");
        let requirements = |body: &str| -> Vec<Gare> {
            detect(body.as_bytes()).into_iter().map(|found| found.gare).collect()
        };
        let wrapped = serde_json::json!({"message": text}).to_string();
        prop_assert_eq!(requirements(&wrapped), requirements(&text));
        let spelled = wrapped.replace("530-", r"530\u002d");
        prop_assert_eq!(requirements(&spelled), requirements(&text));
    }

    #[checks::test(seconds = 600)]
    fn detect_accepts_mutated_documents(body in mutated_body()) {
        detect(&body);
    }

    /// Detected GAREs survive serialization and parsing.
    #[checks::test(seconds = 600)]
    fn detected_gares_survive_a_round_trip((body, _) in checks::documents::body()) {
        for found in detect(body.as_bytes()) {
            let text = serde_json::to_string(&found.gare).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<Gare>(&text).expect("a GARE"), &found.gare);
            let again = detect(text.as_bytes());
            prop_assert!(again.iter().any(|again| same_requirement(
                &again.gare.authorization_parameters, &found.gare.authorization_parameters)),
                "{} has {:?}", text, again);
        }
    }

    #[checks::test(seconds = 600)]
    fn coalescing_requires_no_less_and_no_more(gares in gares()) {
        let merged = coalesce(gares.clone());
        for gare in &gares {
            let asked = &gare.authorization_parameters;
            prop_assert!(merged.iter().any(|merged| covers(&merged.authorization_parameters, asked)), "{:?} is lost", asked);
        }
        for merged in &merged {
            let params = &merged.authorization_parameters;
            if stands_alone(params) {
                prop_assert!(gares.iter().any(|gare| same_requirement(&gare.authorization_parameters, params)));
            } else {
                let others = || gares.iter().map(|gare| &gare.authorization_parameters).filter(|params| !stands_alone(params));
                for policy in &params.session_required_policies {
                    prop_assert!(others().any(|other| other.session_required_policies.contains(policy)));
                }
                for scope in &params.required_scopes {
                    prop_assert!(others().any(|other| other.required_scopes.contains(scope)));
                }
            }
        }
        prop_assert!(merged.iter().filter(|gare| !stands_alone(&gare.authorization_parameters)).count() <= 1);
        prop_assert!(merged.is_sorted_by_key(|gare| gare.code.parse::<usize>().expect("a place")), "order is kept");
        prop_assert_eq!(coalesce(merged.clone()), merged);
    }

    /// The merged requirements do not depend on the order.
    #[checks::test(seconds = 600)]
    fn coalescing_ignores_the_order(gares in gares()) {
        let reversed = coalesce(gares.iter().rev().cloned());
        let merged = coalesce(gares);
        prop_assert_eq!(merged.len(), reversed.len());
        for one in &merged {
            let params = &one.authorization_parameters;
            prop_assert!(reversed.iter().any(|other| same_requirement(&other.authorization_parameters, params)));
        }
    }
}
