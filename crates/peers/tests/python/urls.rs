//! Compares the parameters of our authorization URL with those of the Python SDK.
//!
//! All deliberate differences are in [`expected`].

use std::collections::BTreeMap;

use checks::browser::Browser;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Origin, Principal, Reauthenticator, Target};
use globus_login::{GlobusApp, MemoryStore};
use peers::oracle::ask;
use peers::python;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scopes::meaning;
use crate::support::generate;

const CLIENT: &str = "3f1c2d9e-0000-4000-8000-000000000000";
const GENERATED: usize = 150;

fn parameters() -> impl Strategy<Value = AuthorizationParameters> {
    let names = || prop::collection::vec("[a-c]{1,3}(@x\\.org)?", 0..3);
    let scopes = prop::collection::vec(prop_oneof!["[a-c]", "[a-c]\\[\\*?[d-f]\\]"], 0..3);
    let message = prop::option::of("[ -~é\"&+%]{0,8}");
    let prompt = prop::option::of(prop_oneof![
        Just("login".to_owned()),
        Just("consent".to_owned())
    ]);
    (
        names(),
        names(),
        names(),
        any::<bool>(),
        scopes,
        message,
        prompt,
    )
        .prop_map(
            |(identities, domains, policies, mfa, scopes, message, prompt)| {
                let mut asked = AuthorizationParameters::default()
                    .with_session_required_identities(identities)
                    .with_session_required_single_domain(domains)
                    .with_session_required_policies(policies)
                    .with_session_required_mfa(mfa)
                    .with_required_scopes(scopes);
                asked.session_message = message;
                asked.prompt = prompt;
                asked
            },
        )
}

type Query = BTreeMap<String, String>;

fn query(pairs: impl IntoIterator<Item = (String, String)>) -> Query {
    let mut query = Query::new();
    for (name, value) in pairs {
        let twice = query.insert(name.clone(), value);
        assert!(twice.is_none(), "{name} comes twice");
    }
    // In the SDK the scopes are a set, without order.
    if let Some(scope) = query.get_mut("scope") {
        *scope = meaning(scope.parse().ok().as_ref()).to_string();
    }
    query
}

/// The query of the SDK without values that Globus Auth rejects, and with a fresh login if a
/// session is required.
fn expected(mut sdk: Query, asked: &AuthorizationParameters) -> Query {
    sdk.retain(|_, value| !value.trim().is_empty() && value != "False");
    if asked.requires_session() {
        sdk.entry("prompt".to_owned())
            .or_insert_with(|| "login".to_owned());
    }
    // The SDK always sends the same state, and never compares it.
    assert_eq!(sdk.remove("state").as_deref(), Some("_default"));
    sdk.remove("code_challenge");
    sdk
}

#[checks::test(seconds = 600)]
async fn authorize_url_is_that_of_the_sdk_with_a_state() {
    let script = python::script("url_oracle.py");
    let cases = (
        parameters(),
        any::<bool>(),
        any::<bool>(),
        prop::option::of("[a-z ]{1,6}[a-z]"),
    );
    let (mut questions, mut pages, mut all_asked) = (Vec::new(), Vec::new(), Vec::new());
    for (asked, refresh_tokens, has_secret, name) in generate(GENERATED, &cases) {
        let browser = Browser::closed();
        let mut builder = GlobusApp::user(CLIENT)
            .auth_url("https://auth.globus.org")
            .redirect_uri("http://localhost:1234/back?x=1")
            .resource_server_for("https://service.example", "service")
            .scopes(["a[b]", "openid"])
            .refresh_tokens(refresh_tokens)
            .scopes_may_be_required(|_, _| true)
            .store(MemoryStore::new())
            .prompt(browser.clone());
        if has_secret {
            builder = builder.client_secret("s3cret");
        }
        if let Some(name) = &name {
            builder = builder.app_name(name);
        }
        let app = builder.build().expect("an app");
        let challenge = Challenge::new(service(), Gare::new("x", asked.clone()));
        app.reauthenticate(&challenge).await.expect_err("declined");
        let page = browser.requests()[0].authorize_url().clone();
        let host = gethostname().await;
        questions.push(json!({
            "client_id": CLIENT,
            "secret": has_secret.then_some("s3cret"),
            "redirect_uri": "http://localhost:1234/back?x=1",
            "refresh_tokens": refresh_tokens,
            "label": name.map(|name| format!("{name} on {host}")),
            "scopes": "a[b] openid",
            "asked": fields(&asked),
        }));
        pages.push(page);
        all_asked.push(asked);
    }
    let answers = ask(script, &questions);
    let mut states = Vec::new();
    for ((page, answer), (asked, question)) in pages
        .iter()
        .zip(&answers)
        .zip(all_asked.iter().zip(&questions))
    {
        assert_eq!(page.as_str().split('?').next(), answer["base"].as_str());
        let pairs: Vec<(String, String)> =
            serde_json::from_value(answer["query"].clone()).expect("pairs");
        let mut sdk = expected(query(pairs), asked);
        let mut ours = query(page.query_pairs().into_owned());
        states.push(ours.remove("state").expect("a state"));
        assert_eq!(
            ours.remove("code_challenge").expect("a challenge").len(),
            43
        );
        // We use PKCE with a client secret, too (RFC 9700, section 2.1.1).
        if !question["secret"].is_null() {
            sdk.insert("code_challenge_method".to_owned(), "S256".to_owned());
            // The SDK sends the label only for clients without a secret.
            ours.remove("prefill_named_grant");
        }
        assert_eq!(ours, sdk, "{question}");
    }
    states.sort();
    states.dedup();
    assert!(states.len() == GENERATED && states.iter().all(|state| state.len() >= 22));
}

/// All fields as arguments for the SDK, also the empty ones.
fn fields(asked: &AuthorizationParameters) -> Value {
    json!({
        "session_message": asked.session_message,
        "session_required_identities": asked.session_required_identities,
        "session_required_policies": asked.session_required_policies,
        "session_required_single_domain": asked.session_required_single_domain,
        "session_required_mfa": asked.session_required_mfa,
        "required_scopes": asked.required_scopes,
        "prompt": asked.prompt,
    })
}

async fn gethostname() -> String {
    let name = tokio::fs::read_to_string("/proc/sys/kernel/hostname").await;
    name.expect("a name")
        .trim()
        .trim_end_matches(".local")
        .to_owned()
}

fn service() -> Target {
    let origin: Origin = "https://service.example".parse().expect("an origin");
    Target::new(origin, Principal::Session)
}
