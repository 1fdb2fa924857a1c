//! Revocation of tokens at the end of a login.

use checks::tokens::members;
use fake_globus::{FakeGlobus, Person};
use globus_login::MemoryStore;
use serde_json::{Value, json};

use crate::support::endpoint::*;
use crate::support::*;

/// Whether Globus Auth accepts an access or refresh token.
async fn is_active(globus: &FakeGlobus, token: &str) -> bool {
    let validate = client()
        .post(format!("{}v2/oauth2/token/validate", globus.auth_url()))
        .form(&[
            ("token", token),
            ("client_id", &globus.client_id().to_string()),
        ]);
    let answer = validate.send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    answer["active"].as_bool().expect("a boolean")
}

#[checks::test]
async fn logout_revokes_access_and_refresh_tokens() {
    let globus = globus(Person::automatic()).await;
    let store = MemoryStore::new();
    let app = logged_in(refreshing(&globus, &Browser::redirected(), &store)).await;
    let tokens: Vec<Value> = load(&store, &globus).await.values().map(members).collect();
    let secrets: Vec<&str> = tokens
        .iter()
        .flat_map(|token| [&token["access_token"], &token["refresh_token"]])
        .map(|secret| secret.as_str().expect("a token"))
        .collect();
    assert_eq!(secrets.len(), 4);
    for secret in &secrets {
        assert!(is_active(&globus, secret).await, "{secret}");
    }
    assert!(app.logout().await.expect("told"));
    for secret in &secrets {
        assert!(!is_active(&globus, secret).await, "{secret}");
    }
}

#[checks::test]
async fn refused_login_revokes_its_own_tokens() {
    let (nobody, bob) = (
        json!({"sub": "", "aud": CLIENT}),
        json!({"sub": "bob", "aud": CLIENT}),
    );
    for claims in [nobody, bob] {
        let mut given = login("new");
        given["id_token"] = id_token(&claims.to_string()).into();
        let endpoint = Endpoint::always(answer(200, &given)).await;
        let store = MemoryStore::new();
        keep(&store, stored(TRANSFER_SERVER, "old", true)).await;
        let app = endpoint.app().store(store.clone()).build();
        let app = app.expect("an app");
        log_in_again(&app).await.expect_err("another person");
        let mut revoked = endpoint.revoked();
        revoked.sort();
        assert_eq!(
            revoked,
            ["new", "new-auth", "new-auth-refresh", "new-refresh"],
            "{claims}"
        );
        assert_eq!(sent(&app).await.as_deref(), Some("old"));
    }
}
