//! Responses of Globus Auth to token requests.

use checks::tokens::{self, members};
use globus_login::{GlobusApp, MemoryStore};
use serde_json::{Value, json};

use crate::support::endpoint::*;
use crate::support::*;

const SECRET: &str = "secret-of-the-client";

#[checks::test]
async fn error_hides_a_secret_that_the_answer_repeats() {
    let echo = |secret: &str| refused("invalid_request", &format!("no such thing: {secret}!"));
    let reworded = |secret: &str| refused("invalid_grant", &format!("{secret} is too old"));
    for echo in [echo as fn(&str) -> Answer, reworded] {
        let endpoint = Endpoint::always(echo(CODE)).await;
        let app = endpoint.app().build().expect("an app");
        let error = log_in_again(&app).await.expect_err("refused");
        assert_says(&error, "", &[CODE]);

        let endpoint = Endpoint::always(echo(SECRET)).await;
        let client = GlobusApp::confidential(CLIENT, SECRET).auth_url(&endpoint.url);
        let client = client.build().expect("an app");
        let error = log_in_again(&client).await.expect_err("refused");
        assert_says(&error, "", &[SECRET]);
    }
    let endpoint = Endpoint::always(echo("old-refresh")).await;
    let store = MemoryStore::new();
    keep(&store, stored(AUTH_SERVER, "old", false)).await;
    let app = endpoint.app().store(store).build().expect("an app");
    let error = app.account().await.expect_err("refused");
    assert_says(&error, "", &["old-refresh"]);
}

#[checks::test]
async fn error_shows_the_reason_as_plain_text() {
    for (error, description, says) in [
        ("invalid_grant", "no such code", "did not accept the code"),
        (
            "invalid_grant",
            "no such code",
            "invalid_grant: no such code",
        ),
        (
            "unauthorized_client",
            "\u{1b}[2Jpay\nus",
            "unauthorized_client: [2Jpay us",
        ),
        ("a\u{202e}b", "\u{202e}c\u{7}", "ab: c"),
    ] {
        let endpoint = Endpoint::always(refused(error, description)).await;
        let app = endpoint.app().build().expect("an app");
        let error = log_in_again(&app).await.expect_err("refused");
        assert_says(&error, says, &["\u{1b}", "\u{202e}", "\n"]);
    }
}

#[checks::test]
async fn answer_gives_a_token_for_each_resource_server() {
    let mut given = refreshed(AUTH_SERVER, "one");
    given["id_token"] = id_token(&json!({"sub": ADA, "aud": CLIENT}).to_string()).into();
    given["scope"] = "openid email".into();
    given["expires_in"] = 172_800.into();
    let mut other = refreshed(TRANSFER_SERVER, "two");
    other["token_type"] = "bearer".into();
    other["expires_in"] = 59.into();
    let third =
        json!({"access_token": "three", "token_type": "Bearer", "resource_server": "groups"});
    given["other_tokens"] = json!([other, third]);
    let endpoint = Endpoint::always(answer(200, &given)).await;
    let store = MemoryStore::new();
    let app = endpoint
        .app()
        .resource_server_for("https://groups.example", "groups")
        .store(store.clone());
    let app = app.build().expect("an app");
    log_in_again(&app).await.expect("a login");

    let tokens = tokens::load(&store, &tokens::own(CLIENT)).await;
    let kept: Vec<Value> = tokens
        .iter()
        .map(|(server, token)| {
            let token = members(token);
            assert_eq!(token["resource_server"], server.as_str());
            assert_eq!(
                (&token["identity_id"], &token["token_type"]),
                (&ADA.into(), &"Bearer".into())
            );
            json!([
                token["access_token"],
                token.get("refresh_token"),
                token["scope"]
            ])
        })
        .collect();
    assert_eq!(
        kept,
        [
            json!(["one", "one-refresh", "openid email"]),
            json!(["three", null, ""]),
            json!(["two", "two-refresh", "all"]),
        ]
    );
    // Each service gets its own token. A token in its last minute is refreshed first.
    let groups = held(&app, &target("https://groups.example")).await;
    assert_eq!(groups.as_ref().map(bearer).as_deref(), Some("three"));
    assert_eq!(endpoint.grants("refresh_token"), 0);
    held(&app, &target(TRANSFER)).await;
    assert_eq!(endpoint.grants("refresh_token"), 1);
}

#[checks::test]
async fn login_keeps_the_tokens_of_other_resource_servers() {
    let home = tempfile::tempdir().expect("a directory");
    for store in crate::refreshes::stores(&home) {
        let endpoint = Endpoint::always(answer(200, &login("new"))).await;
        for server in ["groups", TRANSFER_SERVER] {
            keep(&*store, stored(server, "old", true)).await;
        }
        let app = endpoint.app().store(store.clone()).build();
        log_in_again(&app.expect("an app")).await.expect("a login");
        let expected = [
            (AUTH_SERVER, "new-auth"),
            ("groups", "old"),
            (TRANSFER_SERVER, "new"),
        ];
        let expected = expected.map(|(server, access)| (server.to_owned(), access.to_owned()));
        assert_eq!(kept(&*store).await, expected);
    }
}
