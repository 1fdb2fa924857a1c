//! Codes, tokens, and what they tell.

use std::time::Duration;

use fake_globus::ViolationKind;
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, OPENID, param, text};

#[checks::test]
async fn reused_code_revokes_its_tokens() {
    let fixture = Fixture::new(|c| c).await;
    let code = param(&fixture.answer(ALL, &[]).await, "code").unwrap();
    let tokens: Value = fixture.exchange(&code, &[]).await.json().await.unwrap();
    assert_eq!(
        fixture
            .ls(text(&tokens, "/access_token"), "")
            .await
            .status(),
        200
    );
    let again = fixture.exchange(&code, &[]).await;
    assert_eq!(again.status(), 400);
    assert_eq!(
        again.json::<Value>().await.unwrap(),
        json!({"error": "invalid_grant"})
    );
    assert_eq!(
        fixture
            .ls(text(&tokens, "/access_token"), "")
            .await
            .status(),
        401
    );
    assert_eq!(
        fixture.globus.violations()[0].kind,
        ViolationKind::CodeReused
    );
}

#[checks::test]
async fn code_needs_its_verifier_redirect_and_client_in_time() {
    let wrong_verifier = "some-other-verifier-that-is-long-enough-for-the-standard";
    let fixture = Fixture::new(|c| c).await;
    let confidential = fixture.globus.confidential_client_id().to_string();
    let secret = fixture.globus.client_secret().to_owned();
    let as_other = [
        ("client_id", confidential.as_str()),
        ("client_secret", secret.as_str()),
    ];
    for (more, violation) in [
        (
            &[("code_verifier", wrong_verifier)][..],
            ViolationKind::WrongVerifier,
        ),
        (&[("code_verifier", "")], ViolationKind::WrongVerifier),
        (
            &[("redirect_uri", "http://127.0.0.1:1/")],
            ViolationKind::WrongCode,
        ),
        (&as_other, ViolationKind::WrongCode),
    ] {
        let code = param(&fixture.answer(ALL, &[]).await, "code").unwrap();
        assert_eq!(
            fixture.exchange(&code, more).await.status(),
            400,
            "{more:?}"
        );
        assert_eq!(
            fixture.globus.violations().last().unwrap().kind,
            violation,
            "{more:?}"
        );
        assert_eq!(
            fixture.exchange(&code, &[]).await.status(),
            400,
            "a code is good for one attempt"
        );
    }
    let code = param(&fixture.answer(ALL, &[]).await, "code").unwrap();
    fixture.globus.clock().advance(Duration::from_secs(601));
    assert_eq!(fixture.exchange(&code, &[]).await.status(), 400);
}

#[checks::test]
async fn login_gives_a_token_for_each_resource_server() {
    let fixture = Fixture::new(|c| c).await;
    let search = "urn:globus:auth:scope:search.api.globus.org:all";
    let flows = "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all";
    let tokens = fixture
        .log_in(&format!("{ALL} {search} {flows} {OPENID}"), &[])
        .await;
    assert_eq!(text(&tokens, "/resource_server"), "auth.globus.org");
    assert_eq!(text(&tokens, "/scope"), OPENID);
    assert_eq!(tokens["expires_in"], 172_800);
    assert_eq!(text(&tokens, "/token_type"), "Bearer");
    let others: Vec<_> = tokens["other_tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| text(t, "/resource_server"))
        .collect();
    assert_eq!(
        others,
        [
            "transfer.api.globus.org",
            "search.api.globus.org",
            "flows.globus.org"
        ]
    );
    assert!(
        tokens["other_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .all(|token| token["refresh_token"].is_string())
    );
    assert_eq!(text(&tokens, "/id_token").split('.').count(), 3);

    // Where Auth's is wanted no other will do.
    let transfer = text(&tokens, "/other_tokens/0/access_token");
    assert_eq!(
        fixture.get("v2/oauth2/userinfo", transfer).await.status(),
        401
    );
    assert_eq!(
        fixture.globus.violations()[0].kind,
        ViolationKind::WrongResourceServer
    );

    let online = fixture.log_in(ALL, &[("access_type", "online")]).await;
    assert!(online.get("refresh_token").is_none() && online.get("id_token").is_none());
    assert_eq!(online["other_tokens"], json!([]));
}

#[checks::test]
async fn refreshed_token_keeps_the_session_age() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let tokens = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(660));
    assert_eq!(
        fixture
            .ls(text(&tokens, "/access_token"), "")
            .await
            .status(),
        502
    );
    let client = fixture.globus.client_id().to_string();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &client),
        ("refresh_token", text(&tokens, "/refresh_token")),
    ];
    let renewed: Value = fixture
        .post("v2/oauth2/token", &form)
        .await
        .json()
        .await
        .unwrap();
    assert_ne!(renewed["access_token"], tokens["access_token"]);
    assert_eq!(
        fixture
            .ls(text(&renewed, "/access_token"), "")
            .await
            .status(),
        502
    );

    // The browser is still logged in, so that without a prompt nothing becomes younger either.
    let silent = fixture.log_in(ALL, &[]).await;
    assert_eq!(
        fixture
            .ls(text(&silent, "/access_token"), "")
            .await
            .status(),
        502
    );
    let fresh = fixture.log_in(ALL, &[("prompt", "login")]).await;
    assert_eq!(
        fixture.ls(text(&fresh, "/access_token"), "").await.status(),
        200
    );
    assert_eq!(
        fixture
            .ls(text(&tokens, "/access_token"), "")
            .await
            .status(),
        502
    );
}

#[checks::test]
async fn expired_or_revoked_tokens_are_refused() {
    let fixture = Fixture::new(|c| c).await;
    let client = fixture.globus.client_id().to_string();
    let tokens = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(172_801));
    let expired = fixture.ls(text(&tokens, "/access_token"), "").await;
    assert_eq!(expired.status(), 401);
    assert_eq!(
        text(&expired.json().await.unwrap(), "/code"),
        "AuthenticationFailed"
    );

    let refresh = text(&tokens, "/refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client.as_str()),
        ("refresh_token", refresh),
    ];
    let renewed: Value = fixture
        .post("v2/oauth2/token", &form)
        .await
        .json()
        .await
        .unwrap();
    let access = text(&renewed, "/access_token");
    assert_eq!(fixture.ls(access, "").await.status(), 200);
    let about = |token: &str| [("client_id", client.clone()), ("token", token.to_owned())];
    let ask = |path: &str, token: &str| {
        fixture
            .http
            .post(fixture.url(path))
            .form(&about(token))
            .send()
    };
    let valid: Value = ask("v2/oauth2/token/validate", access)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(valid["active"], true);

    assert_eq!(
        ask("v2/oauth2/token/revoke", access)
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(fixture.ls(access, "").await.status(), 401);
    assert_eq!(
        ask("v2/oauth2/token/revoke", refresh)
            .await
            .unwrap()
            .status(),
        200
    );
    let valid: Value = ask("v2/oauth2/token/validate", refresh)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(valid["active"], false);
    assert_eq!(fixture.post("v2/oauth2/token", &form).await.status(), 400);
}

#[checks::test]
async fn userinfo_consents_and_introspection_describe_the_user() {
    let fixture = Fixture::new(|c| c).await;
    let tokens = fixture
        .log_in(
            &format!("{OPENID} {ALL}[*https://auth.globus.org/scopes/x/data_access]"),
            &[],
        )
        .await;
    let access = text(&tokens, "/access_token");
    let ada = fixture.ada.id().to_string();
    let info: Value = fixture
        .get("v2/oauth2/userinfo", access)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(text(&info, "/sub"), ada);
    let set: Vec<_> = info["identity_set"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "/username"))
        .collect();
    assert_eq!(set, ["ada@uchicago.edu", "ada@globusid.org"]);

    let consents = fixture
        .get(&format!("v2/api/identities/{ada}/consents"), access)
        .await;
    let consents: Value = consents.json().await.unwrap();
    let last = consents["consents"].as_array().unwrap().last().unwrap();
    assert_eq!(
        text(last, "/scope_name"),
        "https://auth.globus.org/scopes/x/data_access"
    );
    assert_eq!(last["dependency_path"].as_array().unwrap().len(), 2);
    let other = fixture
        .get(
            "v2/api/identities/00000000-0000-0000-0000-000000000000/consents",
            access,
        )
        .await;
    assert_eq!(other.status(), 403);

    let client = fixture.globus.client_id().to_string();
    let form = [
        ("client_id", client.as_str()),
        ("token", access),
        ("include", "session_info"),
    ];
    let about: Value = fixture
        .post("v2/oauth2/token/introspect", &form)
        .await
        .json()
        .await
        .unwrap();
    assert!(about["session_info"]["authentications"][&ada]["auth_time"].is_u64());
}

#[checks::test]
async fn confidential_client_logs_in_with_its_secret() {
    let fixture = Fixture::new(|c| c.domain("clients.auth.globus.org")).await;
    let id = fixture.globus.confidential_client_id().to_string();
    let ask = |secret: String| {
        let form = [("grant_type", "client_credentials"), ("scope", ALL)];
        fixture
            .http
            .post(fixture.url("v2/oauth2/token"))
            .basic_auth(&id, Some(secret))
            .form(&form)
            .send()
    };
    let secret = fixture.globus.client_secret().to_owned();
    let tokens: Value = ask(secret).await.unwrap().json().await.unwrap();
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(
        fixture
            .ls(text(&tokens, "/access_token"), "")
            .await
            .status(),
        200
    );
    let refused = ask("wrong".to_owned()).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(
        fixture.globus.violations()[0].kind,
        ViolationKind::WrongSecret
    );
    assert_eq!(fixture.globus.counts().client_grants, 1);
}

#[checks::test]
async fn token_that_expired_long_ago_is_unknown() {
    let fixture = Fixture::new(|c| c).await;
    let token = fixture.token();
    let day = Duration::from_secs(24 * 60 * 60);
    fixture.globus.clock().advance(3 * day);
    // Another token is issued: a good time to tidy up.
    fixture.token();
    assert_eq!(fixture.ls(&token, "").await.status(), 401);
    assert!(fixture.globus.violations().is_empty());
    fixture.globus.clock().advance(2 * day);
    fixture.token();
    assert_eq!(fixture.ls(&token, "").await.status(), 401);
    let violations = fixture.globus.violations();
    assert_eq!(violations[0].kind, ViolationKind::UnknownToken);
}

#[checks::test]
async fn keep_requests_bounds_the_record() {
    let fixture = Fixture::with(|c| c, |server| server.keep_requests(2)).await;
    let token = fixture.token();
    for number in 1..=3 {
        fixture.ls(&token, &format!("?mark={number}")).await;
    }
    let kept: Vec<_> = fixture.globus.requests();
    let queries: Vec<_> = kept
        .iter()
        .filter_map(|seen| seen.query.as_deref())
        .collect();
    assert_eq!(queries, ["mark=2", "mark=3"]);
    assert_eq!(fixture.globus.counts().listings, 3);
}
