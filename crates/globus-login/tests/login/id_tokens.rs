//! ID tokens: the person and the client.

use checks::tokens;
use globus_login::MemoryStore;

use crate::support::endpoint::*;
use crate::support::*;

#[checks::test]
async fn login_needs_an_id_token_for_this_client() {
    let claims = |text: &str| id_token(&text.replace("CLIENT", CLIENT));
    let shouted = CLIENT.to_uppercase();
    for (id_token, subject) in [
        (claims(r#"{"sub": "ada", "aud": "CLIENT"}"#), Some("ada")),
        (
            claims(r#"{"sub": "ada", "aud": ["you", "CLIENT"]}"#),
            Some("ada"),
        ),
        (
            id_token(&format!(r#"{{"sub": "ada", "aud": "{shouted}"}}"#)),
            Some("ada"),
        ),
        (claims(r#"{"sub": "ada", "aud": "another client"}"#), None),
        (claims(r#"{"sub": "ada", "aud": ["you", "another"]}"#), None),
        (claims(r#"{"sub": "ada", "aud": []}"#), None),
        (claims(r#"{"sub": "ada"}"#), None),
        (claims(r#"{"sub": "", "aud": "CLIENT"}"#), None),
        (claims(r#"{"sub": 5, "aud": "CLIENT"}"#), None),
        (claims("no json"), None),
        ("no token".to_owned(), None),
        ("a.***.b".to_owned(), None),
    ] {
        let mut given = login("s3cret");
        given["id_token"] = id_token.clone().into();
        let endpoint = Endpoint::always(answer(200, &given)).await;
        let store = MemoryStore::new();
        let app = endpoint.app().store(store.clone()).build();
        let done = app.expect("an app").login().await;
        let tokens = tokens::load(&store, &tokens::own(CLIENT)).await;
        let kept: Vec<_> = tokens.values().map(|token| token.identity_id()).collect();
        match done {
            Ok(()) => assert_eq!(kept, [subject, subject], "{id_token}"),
            Err(error) => {
                assert!(subject.is_none() && kept.is_empty(), "{id_token}");
                assert_says(&error, "did not say who", &["s3cret"]);
            }
        }
        assert_eq!(endpoint.revoked().is_empty(), subject.is_some());
    }
}
