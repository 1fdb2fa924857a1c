//! Requests with a token of their own: only a login of the same person answers for them.

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Credential, Principal, ReauthError, Reauthenticator, Target};
use globus_login::{GlobusApp, MemoryStore};
use serde_json::{Value, json};

use crate::support::endpoint::*;
use crate::support::*;

const BOB: &str = "b0b0b0b0-0000-4000-8000-000000000000";

/// A Globus Auth where each login is by `sub`, and each introspection has this answer.
async fn globus(sub: &str, introspection: Answer) -> Endpoint {
    let claims = json!({"sub": sub, "aud": CLIENT}).to_string();
    let mut login = login("given");
    login["id_token"] = id_token(&claims).into();
    Endpoint::start(move |request| {
        let answer = match request.path.as_str() {
            "/v2/oauth2/token/introspect" => introspection.clone(),
            _ => answer(200, &login),
        };
        std::future::ready(answer)
    })
    .await
}

fn nothing_known() -> Answer {
    answer(200, &json!({"active": false}))
}

/// Has the app answer a challenge to a request with this token.
async fn answer_for(app: &GlobusApp, token: &str) -> Result<Credential, ReauthError> {
    let presented = Credential::bearer(token).expect("a token");
    let origin = TRANSFER.parse().expect("an origin");
    let target = Target::new(origin, Principal::Presented(presented));
    let mfa = AuthorizationParameters::default().with_session_required_mfa(true);
    let gare = Gare::new("AuthorizationRequired", mfa);
    app.reauthenticate(&Challenge::new(target, gare)).await
}

#[checks::test]
async fn login_by_another_person_fails_for_a_stored_token() {
    for (logged_in, is_refused) in [(BOB, true), (ADA, false)] {
        let globus = globus(logged_in, nothing_known()).await;
        let store = MemoryStore::new();
        keep(&store, stored(TRANSFER_SERVER, "of-ada", true)).await;
        let app = globus.app().store(store).build().expect("an app");
        let answered = answer_for(&app, "of-ada").await;
        assert_eq!(answered.is_err(), is_refused, "{logged_in}");
        let Err(error) = answered else {
            assert!(globus.revoked().is_empty());
            continue;
        };
        assert_says(&error, "token of another person", &["of-ada", "given", ADA]);
        let mut revoked = globus.revoked();
        revoked.sort();
        let expected = ["given", "given-auth", "given-auth-refresh", "given-refresh"];
        assert_eq!(revoked, expected);
        // For a token of an unknown owner, any login counts.
        answer_for(&app, "of-whom").await.expect("a credential");
    }
}

/// The owner is known from the login of the named user.
#[checks::test]
async fn owner_of_a_named_users_token_is_known() {
    let globus = globus(BOB, nothing_known()).await;
    let store = MemoryStore::new();
    let ada = Principal::Named("ada".into());
    let key = globus_login::UserKey::new("production", CLIENT, "identity/ada");
    checks::tokens::put(&store, &key, stored(TRANSFER_SERVER, "of-ada", true)).await;
    let app = globus.app().store(store).build().expect("an app");
    let credential = app.for_user(&ada).credential(&target(TRANSFER)).await;
    credential.expect("no error").expect("a token");
    let answered = answer_for(&app, "of-ada").await;
    assert_says(
        &answered.expect_err("another"),
        "token of another person",
        &["of-ada"],
    );
}

#[checks::test]
async fn introspection_finds_the_owner_of_a_token() {
    let of_ada = |more: Value| {
        let mut told = json!({"active": true, "sub": ADA});
        for (name, value) in more.as_object().expect("members") {
            told[name] = value.clone();
        }
        answer(200, &told)
    };
    for (introspection, is_refused) in [
        (of_ada(json!({})), true),
        (of_ada(json!({"identity_set": [ADA, "another"]})), true),
        (of_ada(json!({"identity_set": [ADA, BOB]})), false),
        (of_ada(json!({"sub": BOB})), false),
        (of_ada(json!({"active": false})), false),
        (answer(401, &json!({"error": "invalid_client"})), false),
        // No answer does not mean that the owner is unknown.
        (answer(503, &json!({})), true),
    ] {
        let globus = globus(BOB, introspection.clone()).await;
        let app = globus.app().client_secret("s3cret").build();
        let answered = answer_for(&app.expect("an app"), "of-whom").await;
        assert_eq!(answered.is_err(), is_refused, "{introspection:?}");
        assert_eq!(globus.revoked().is_empty(), !is_refused);
        let asked = globus.requests();
        let asked = asked.iter().find(|seen| seen.path.ends_with("/introspect"));
        let asked = asked.expect("an introspection");
        assert_eq!(asked.field("token"), "of-whom");
        assert_eq!(asked.field("include"), "identity_set");
    }
}

/// A client that acts for itself is another identity.
#[checks::test]
async fn confidential_app_fails_for_a_token_of_a_person() {
    let globus = globus(BOB, answer(200, &json!({"active": true, "sub": ADA}))).await;
    let app = GlobusApp::confidential(CLIENT, "s3cret")
        .auth_url(&globus.url)
        .resource_server_for(TRANSFER, TRANSFER_SERVER);
    let app = app.build().expect("an app");
    let answered = answer_for(&app, "of-ada").await;
    assert_says(
        &answered.expect_err("another"),
        "token of another person",
        &["s3cret", "of-ada"],
    );
}
