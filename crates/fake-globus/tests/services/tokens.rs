//! Codes and tokens.

use std::time::Duration;

use fake_globus::ViolationKind;
use serde_json::{Value, json};

use crate::support::{
    ALL, Fixture, OPENID, document_code, json as document_of, ok, send, text, texts,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[checks::test]
async fn reused_code_revokes_its_tokens() {
    let fixture = Fixture::open().await;
    let code = fixture.code().await;
    let tokens = ok(fixture.exchange(&code, &[]).await).await;
    assert_eq!(fixture.ls_status_with(&tokens).await, 200);
    let again = fixture.exchange(&code, &[]).await;
    assert_eq!(again.status(), 400);
    let again = document_of(again).await;
    assert_eq!(again, json!({"error": "invalid_grant"}));
    assert_eq!(fixture.ls_status_with(&tokens).await, 401);
    assert_eq!(fixture.violations()[0], ViolationKind::CodeReused);
}

#[checks::test]
async fn code_needs_its_verifier_redirect_uri_and_client() {
    let fixture = Fixture::open().await;
    let other_client = fixture.globus.confidential_client_id().to_string();
    let other_verifier = "some-other-verifier-that-is-long-enough-for-the-standard";
    let as_other = [
        ("client_id", other_client.as_str()),
        ("client_secret", fixture.globus.client_secret()),
    ];
    for (more, violation) in [
        (
            &[("code_verifier", other_verifier)][..],
            ViolationKind::WrongVerifier,
        ),
        (&[("code_verifier", "")], ViolationKind::WrongVerifier),
        (
            &[("redirect_uri", "http://127.0.0.1:1/")],
            ViolationKind::WrongCode,
        ),
        (&as_other, ViolationKind::WrongCode),
    ] {
        let code = fixture.code().await;
        let rejected = fixture.exchange(&code, more).await;
        assert_eq!(rejected.status(), 400, "{more:?}");
        assert_eq!(fixture.violations().last(), Some(&violation), "{more:?}");
        let again = fixture.exchange(&code, &[]).await;
        assert_eq!(again.status(), 400, "a code takes one attempt");
    }
    let code = fixture.code().await;
    fixture.globus.clock().advance(Duration::from_secs(601));
    assert_eq!(fixture.exchange(&code, &[]).await.status(), 400);
}

#[checks::test]
async fn login_gives_a_token_for_each_resource_server() {
    let fixture = Fixture::open().await;
    let search = "urn:globus:auth:scope:search.api.globus.org:all";
    let flows = "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all";
    let scopes = format!("{ALL} {search} {flows} {OPENID}");
    let tokens = fixture.log_in(&scopes, &[]).await;
    assert_eq!(text(&tokens, "/resource_server"), "auth.globus.org");
    assert_eq!(text(&tokens, "/scope"), OPENID);
    assert_eq!(tokens["expires_in"], 172_800);
    assert_eq!(text(&tokens, "/token_type"), "Bearer");
    assert_eq!(
        texts(&tokens, "/other_tokens", "/resource_server"),
        [
            "transfer.api.globus.org",
            "search.api.globus.org",
            "flows.globus.org"
        ]
    );
    assert_eq!(texts(&tokens, "/other_tokens", "/refresh_token").len(), 3);
    assert_eq!(text(&tokens, "/id_token").split('.').count(), 3);

    // Globus Auth rejects a token for another service.
    let transfer = text(&tokens, "/other_tokens/0/access_token");
    let rejected = fixture.get("v2/oauth2/userinfo", transfer).await;
    assert_eq!(rejected.status(), 401);
    assert_eq!(fixture.violations()[0], ViolationKind::WrongResourceServer);

    let online = fixture.log_in(ALL, &[("access_type", "online")]).await;
    assert!(online.get("refresh_token").is_none() && online.get("id_token").is_none());
    assert_eq!(online["other_tokens"], json!([]));
}

#[checks::test]
async fn refreshed_token_keeps_the_session_age() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let tokens = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(660));
    assert_eq!(fixture.ls_status_with(&tokens).await, 502);
    let refreshed = ok(fixture.refresh(text(&tokens, "/refresh_token")).await).await;
    assert_ne!(refreshed["access_token"], tokens["access_token"]);
    assert_eq!(fixture.ls_status_with(&refreshed).await, 502);

    // The browser is still logged in: without a prompt, the session does not become younger.
    let silent = fixture.log_in(ALL, &[]).await;
    assert_eq!(fixture.ls_status_with(&silent).await, 502);
    let fresh = fixture.log_in(ALL, &[("prompt", "login")]).await;
    assert_eq!(fixture.ls_status_with(&fresh).await, 200);
    assert_eq!(fixture.ls_status_with(&tokens).await, 502);
}

#[checks::test]
async fn expired_or_revoked_tokens_are_rejected() {
    let fixture = Fixture::open().await;
    let client = fixture.client_id();
    let tokens = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(172_801));
    let expired = fixture.ls(text(&tokens, "/access_token"), "").await;
    assert_eq!(document_code(expired, 401).await, "AuthenticationFailed");

    let refresh = text(&tokens, "/refresh_token");
    let refreshed = ok(fixture.refresh(refresh).await).await;
    let access = text(&refreshed, "/access_token");
    assert_eq!(fixture.ls_status(access).await, 200);
    let about = async |path: &str, token: &str| {
        let form = [("client_id", client.as_str()), ("token", token)];
        ok(fixture.post(path, &form).await).await
    };
    let is_active =
        async |token: &str| about("v2/oauth2/token/validate", token).await["active"].clone();
    assert_eq!(is_active(access).await, true);

    about("v2/oauth2/token/revoke", access).await;
    assert_eq!(fixture.ls_status(access).await, 401);
    about("v2/oauth2/token/revoke", refresh).await;
    assert_eq!(is_active(refresh).await, false);
    assert_eq!(fixture.refresh(refresh).await.status(), 400);
}

#[checks::test]
async fn userinfo_consents_and_introspection_describe_the_user() {
    let fixture = Fixture::open().await;
    let data_access = "https://auth.globus.org/scopes/x/data_access";
    let scopes = format!("{OPENID} {ALL}[*{data_access}]");
    let tokens = fixture.log_in(&scopes, &[]).await;
    let access = text(&tokens, "/access_token");
    let ada = fixture.ada.id().to_string();
    let info = ok(fixture.get("v2/oauth2/userinfo", access).await).await;
    assert_eq!(text(&info, "/sub"), ada);
    assert_eq!(
        texts(&info, "/identity_set", "/username"),
        ["ada@uchicago.edu", "ada@globusid.org"]
    );

    let consents = async |identity: &str| {
        let path = format!("v2/api/identities/{identity}/consents");
        fixture.get(&path, access).await
    };
    let document = ok(consents(&ada).await).await;
    let last = document["consents"].as_array().and_then(|all| all.last());
    let last = last.expect("a consent");
    assert_eq!(text(last, "/scope_name"), data_access);
    assert_eq!(last["dependency_path"].as_array().map(Vec::len), Some(2));
    let other = consents("00000000-0000-0000-0000-000000000000").await;
    assert_eq!(other.status(), 403);

    let form = [("token", access), ("include", "session_info")];
    let about = ok(fixture.introspect(&form).await).await;
    assert!(about["session_info"]["authentications"][&ada]["auth_time"].is_u64());
}

#[checks::test]
async fn native_client_cannot_introspect() {
    let fixture = Fixture::open().await;
    let (client, token) = (fixture.client_id(), fixture.token());
    let form = [("client_id", client.as_str()), ("token", &token)];
    let rejected = fixture.post("v2/oauth2/token/introspect", &form).await;
    assert_eq!(rejected.status(), 401);
    let error = document_of(rejected).await;
    assert_eq!(error, json!({"error": "unauthorized_client"}));
    let about = ok(fixture.introspect(&form[1..]).await).await;
    assert_eq!(about["active"], true);
}

#[checks::test]
async fn client_cannot_revoke_the_token_of_another() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let form = [("token", token.as_str())];
    let revoke = fixture.http.post(fixture.url("v2/oauth2/token/revoke"));
    let told = send(fixture.as_confidential(revoke).form(&form)).await;
    assert_eq!(ok(told).await, json!({"active": false}));
    assert_eq!(fixture.ls_status(&token).await, 200);
}

#[checks::test]
async fn confidential_client_logs_in_with_its_secret() {
    let fixture = Fixture::new(|c| c.domain("clients.auth.globus.org")).await;
    let id = fixture.globus.confidential_client_id().to_string();
    let log_in = async |secret: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", ALL)];
        let request = fixture.http.post(fixture.url("v2/oauth2/token"));
        send(request.basic_auth(&id, Some(secret)).form(&form)).await
    };
    let tokens: Value = ok(log_in(fixture.globus.client_secret()).await).await;
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(fixture.ls_status_with(&tokens).await, 200);
    assert_eq!(log_in("wrong").await.status(), 401);
    assert_eq!(fixture.violations()[0], ViolationKind::WrongSecret);
    assert_eq!(fixture.globus.counts().client_grants, 1);
}

#[checks::test]
async fn token_that_expired_long_ago_is_unknown() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    fixture.globus.clock().advance(3 * DAY);
    // Issuing a token removes old ones.
    fixture.token();
    assert_eq!(fixture.ls_status(&token).await, 401);
    assert!(fixture.violations().is_empty());
    fixture.globus.clock().advance(2 * DAY);
    fixture.token();
    assert_eq!(fixture.ls_status(&token).await, 401);
    assert_eq!(fixture.violations()[0], ViolationKind::UnknownToken);
}

#[checks::test]
async fn keep_requests_bounds_the_record() {
    let fixture = Fixture::with(|c| c, |server| server.keep_requests(2)).await;
    let token = fixture.token();
    for number in 1..=3 {
        fixture.ls(&token, &format!("?mark={number}")).await;
    }
    let kept = fixture.globus.requests();
    let queries = kept.iter().filter_map(|seen| seen.query.as_deref());
    assert_eq!(queries.collect::<Vec<_>>(), ["mark=2", "mark=3"]);
    assert_eq!(fixture.globus.counts().listings, 3);
}

#[checks::test]
async fn ended_tokens_are_removed_from_the_state() {
    let fixture = Fixture::open().await;
    let kept = |fixture: &Fixture| {
        let dump: Value = serde_json::from_str(&fixture.globus.dump()).expect("JSON");
        dump["state"]["tokens"]
            .as_object()
            .map(|tokens| tokens.len())
    };
    let first = fixture.log_in(ALL, &[]).await;
    let second = fixture.log_in(ALL, &[]).await;
    let refresh = text(&second, "/refresh_token");
    fixture
        .post(
            "v2/oauth2/token/revoke",
            &[
                ("token", text(&first, "/refresh_token")),
                ("client_id", &fixture.client_id()),
            ],
        )
        .await;
    assert_eq!(kept(&fixture), Some(4));
    fixture.globus.clock().advance(5 * DAY);
    ok(fixture.refresh(refresh).await).await;
    assert_eq!(kept(&fixture), Some(2));
}
