//! The authorize URL of a login, parameter by parameter.

use std::collections::{BTreeMap, BTreeSet};

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Principal};
use globus_login::{GlobusApp, PendingLogin};
use sha2::{Digest, Sha256};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::endpoint::*;
use crate::support::*;

async fn begin(app: &GlobusApp, asked: Option<AuthorizationParameters>) -> PendingLogin {
    let challenge = asked
        .map(|asked| Challenge::new(target(TRANSFER), Gare::new("AuthorizationRequired", asked)));
    let pending = app
        .begin_login(&Principal::Session, challenge.as_ref())
        .await;
    pending.expect("a login")
}

fn query(pending: &PendingLogin) -> BTreeMap<String, String> {
    let mut query = BTreeMap::new();
    for (name, value) in pending.authorize_url().query_pairs().into_owned() {
        let twice = query.insert(name.clone(), value);
        assert!(twice.is_none(), "{name} comes twice");
    }
    query
}

#[checks::test]
async fn authorize_url_has_exactly_the_login_parameters() {
    for (refresh_tokens, access_type) in [(false, "online"), (true, "offline")] {
        let app = GlobusApp::user(CLIENT)
            .auth_url("https://auth.globus.org")
            .redirect_uri("http://127.0.0.1:1/back")
            .scopes(["a[b c]", "openid"])
            .refresh_tokens(refresh_tokens)
            .build()
            .expect("an app");
        let pending = begin(&app, None).await;
        let page = pending.authorize_url().as_str();
        assert!(
            page.starts_with("https://auth.globus.org/v2/oauth2/authorize?"),
            "{page}"
        );
        let mut query = query(&pending);
        let state = query.remove("state").expect("a state");
        let challenge = query.remove("code_challenge").expect("a challenge");
        assert!(state.len() >= 22 && challenge.len() == 43, "{page}");
        let expected = [
            ("access_type", access_type),
            ("client_id", CLIENT),
            ("code_challenge_method", "S256"),
            ("redirect_uri", "http://127.0.0.1:1/back"),
            ("response_type", "code"),
            ("scope", "a[b c] openid"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(query, BTreeMap::from(expected));
    }
}

#[checks::test]
async fn each_login_has_its_own_state_and_verifier() {
    let endpoint = Endpoint::approving().await;
    let app = endpoint.app().build().expect("an app");
    let (mut states, mut verifiers) = (BTreeSet::new(), BTreeSet::new());
    for login in 0..3 {
        let pending = begin(&app, None).await;
        let page = pending.authorize_url().clone();
        states.insert(value(&page, "state"));
        let redirect = sent_to(&page).await;
        app.finish_login(pending, redirect).await.expect("a login");
        let asked = endpoint.requests();
        let verifier = asked[login].field("code_verifier");
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert_eq!(proof, value(&page, "code_challenge"));
        assert!(!page.as_str().contains(verifier), "{page}");
        verifiers.insert(verifier.to_owned());
    }
    assert_eq!((states.len(), verifiers.len()), (3, 3));
}

#[checks::test]
async fn session_requirement_asks_for_a_fresh_login() {
    let endpoint = Endpoint::approving().await;
    let app = endpoint.app().scopes_may_be_required(|_, _| true);
    let app = app.build().expect("an app");
    let none = AuthorizationParameters::default;
    for (asked, fields) in [
        (none(), &[("prompt", Some("login"))][..]),
        (
            none().with_session_required_policies(["p", "q"]),
            &[
                ("prompt", Some("login")),
                ("session_required_policies", Some("p,q")),
            ],
        ),
        (
            none().with_session_required_identities(["a@x", "b@y"]),
            &[
                ("prompt", Some("login")),
                ("session_required_identities", Some("a@x,b@y")),
            ],
        ),
        (
            none().with_session_required_single_domain(["x", "y"]),
            &[
                ("prompt", Some("login")),
                ("session_required_single_domain", Some("x,y")),
            ],
        ),
        (
            none()
                .with_session_required_mfa(true)
                .with_required_scopes(["s"]),
            &[
                ("prompt", Some("login")),
                ("session_required_mfa", Some("True")),
            ],
        ),
        (
            none().with_required_scopes(["s"]),
            &[("prompt", None), ("required_scopes", None)],
        ),
        (
            none().with_prompt("consent"),
            &[("prompt", Some("consent"))],
        ),
        (
            none().with_session_message("hello & bye"),
            &[("session_message", Some("hello & bye"))],
        ),
    ] {
        let query = query(&begin(&app, Some(asked.clone())).await);
        for (name, value) in fields {
            assert_eq!(
                query.get(*name).map(String::as_str),
                *value,
                "{name}: {asked:?}"
            );
        }
    }
}
