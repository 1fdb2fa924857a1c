//! What collections demand: each kind of challenge, its shape, and the login that satisfies it.

use std::time::Duration;

use fake_globus::{
    Collection, EXPECT_USER, ErrorShape, Identity, Person, Policy, RequestKind, ViolationKind,
};
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, text};

/// The captured error of this id, as `tests/corpus` has it.
fn captured(id: &str) -> Value {
    let corpus = include_str!("../../../../tests/corpus/errors.jsonl");
    let rows = corpus
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let row = rows.into_iter().find(|row| row["id"] == id).unwrap();
    serde_json::from_str(text(&row, "/body")).unwrap()
}

/// Replaces what differs from one server to the next.
fn normalised(mut document: Value, fixture: Option<&Fixture>) -> Value {
    let message = text(&document, "/message").to_owned();
    let lines = message.lines().map(|line| match line.split_once(": ") {
        Some(("Server", _)) => "Server: HOST".to_owned(),
        Some(("Endpoint", _)) => "Endpoint: NAME (ID)".to_owned(),
        _ => line.replace("\"globus.org\"", "\"uchicago.edu\""),
    });
    let ending = if message.ends_with('\n') { "\n" } else { "" };
    document["message"] = (lines.collect::<Vec<_>>().join("\n") + ending).into();
    document["request_id"] = "REQUEST".into();
    if let Some(fixture) = fixture {
        let resource = format!("/v0.10/operation/endpoint/{}/ls", fixture.collection);
        assert_eq!(text(&document, "/resource"), resource);
    }
    document["resource"] = "RESOURCE".into();
    let domain = "/authorization_parameters/session_required_single_domain";
    if let Some(domain) = document.pointer_mut(domain) {
        *domain = json!(["uchicago.edu"]);
    }
    document
}

#[checks::test]
async fn old_session_is_refused_with_the_real_error_body() {
    for (shape, id) in [
        (ErrorShape::Embedded, "transfer-ls-530-r110-embedded-only"),
        (ErrorShape::RootAndDetail, "transfer-ls-530-r100-toplevel"),
    ] {
        let fixture =
            Fixture::new(|c| c.session_minutes(1).domain("uchicago.edu").errors(shape)).await;
        let token = fixture.token();
        assert_eq!(fixture.ls(&token, "").await.status(), 200);
        fixture.globus.clock().advance(Duration::from_secs(61));
        let refused = fixture.ls(&token, "").await;
        assert_eq!(refused.status(), 502);
        assert_eq!(refused.headers()["content-type"], "application/json");
        assert!(refused.headers().contains_key("x-request-id"));
        let body = refused.text().await.unwrap();
        // Two spaces, sorted keys, and a line feed at the end, as in the one capture of the very bytes.
        assert!(body.starts_with("{\n  \"") && body.ends_with("\n}\n"));
        // The reply's line ends are four characters in the decoded message, five bytes on the wire.
        assert!(
            body.contains("LOGIN_DENIED\\\\r\\\\n530-GridFTP-Message")
                && body.contains("530 End.\\\\r\\\\n\\n\"")
        );
        let document = serde_json::from_str(&body).unwrap();
        assert_eq!(
            normalised(document, Some(&fixture)),
            normalised(captured(id), None),
            "{id}"
        );
    }
}

#[checks::test]
async fn error_shape_decides_where_the_requirement_stands() {
    for (shape, root, version) in [
        (ErrorShape::RootAndEmbedded, true, "1.1.0"),
        (ErrorShape::Embedded, false, "1.1.0"),
        (ErrorShape::RootAndDetail, true, "1.0.0"),
        (ErrorShape::Detail, false, "1.0.0"),
    ] {
        let fixture = Fixture::new(|c| c.domain("nowhere.org").errors(shape)).await;
        let document: Value = fixture.ls(&fixture.token(), "").await.json().await.unwrap();
        assert_eq!(
            document.get("authorization_parameters").is_some(),
            root,
            "{shape:?}"
        );
        assert!(
            text(&document, "/message").contains(&format!("result#{version}")),
            "{shape:?}"
        );
    }
}

/// Challenged without the login, satisfied by the login that the parameters describe, and not by any other.
async fn satisfied_by(
    policies: impl FnOnce(Collection) -> Collection,
    status: u16,
    code: &str,
    login: &[(&str, &str)],
) {
    let fixture = Fixture::new(policies).await;
    let before = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let refused = fixture.ls(text(&before, "/access_token"), "").await;
    assert_eq!(refused.status(), status, "{code}");
    assert_eq!(text(&refused.json().await.unwrap(), "/code"), code);
    let after = fixture.log_in(ALL, login).await;
    assert_eq!(
        fixture.ls(text(&after, "/access_token"), "").await.status(),
        200,
        "{code}"
    );
    let seen = fixture.globus.requests();
    let lists: Vec<_> = seen
        .iter()
        .filter(|request| request.kind == RequestKind::List)
        .collect();
    assert_eq!(
        lists
            .iter()
            .map(|request| request.challenged)
            .collect::<Vec<_>>(),
        [true, false]
    );
    fixture.globus.shutdown().await.unwrap();
}

const LOGIN_FAILED: &str = "ExternalError.DirListingFailed.LoginFailed";

#[checks::test]
async fn session_requirement_is_satisfied_by_its_login() {
    let login = ("prompt", "login");
    satisfied_by(|c| c.session_minutes(30), 502, LOGIN_FAILED, &[login]).await;
    let domain = ("session_required_single_domain", "globusid.org");
    satisfied_by(|c| c.domain("globusid.org"), 502, LOGIN_FAILED, &[domain]).await;
    let mfa = ("session_required_mfa", "True");
    satisfied_by(
        |c| c.domain("globusid.org").mfa(),
        502,
        LOGIN_FAILED,
        &[domain, mfa],
    )
    .await;
    let identity = ("session_required_identities", "ada@globusid.org");
    satisfied_by(
        |c| c.required_identity("ada@globusid.org"),
        502,
        LOGIN_FAILED,
        &[identity],
    )
    .await;
}

#[checks::test]
async fn policy_is_satisfied_by_a_login_that_names_it() {
    for policy in [
        Policy::new("Recent").session_minutes(30),
        Policy::new("GlobusID").domain("globusid.org"),
        Policy::new("Second factor").mfa(),
    ] {
        let id = policy.id().to_string();
        satisfied_by(
            |c| c.policy(policy),
            403,
            "AuthPolicyFailed",
            &[("session_required_policies", &id)],
        )
        .await;
    }
}

#[checks::test]
async fn challenge_names_identities_mfa_and_policies() {
    let required = |c: Collection| c.required_identity("ada@globusid.org").mfa();
    let fixture = Fixture::new(required).await;
    let document: Value = fixture.ls(&fixture.token(), "").await.json().await.unwrap();
    let parameters = &document["authorization_parameters"];
    assert_eq!(parameters["session_required_mfa"], true);
    assert_eq!(
        parameters["session_required_identities"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(
        text(&document, "/message").contains(text(parameters, "/session_required_identities/0"))
    );

    let (one, two) = (Policy::new("One").mfa(), Policy::new("Two").mfa());
    let ids = format!("{},{}", one.id(), two.id());
    let fixture = Fixture::new(|c| c.policy(one).policy(two)).await;
    let document: Value = fixture.ls(&fixture.token(), "").await.json().await.unwrap();
    assert_eq!(
        text(
            &document,
            "/authorization_parameters/session_required_policies"
        ),
        ids
    );
}

#[checks::test]
async fn data_access_requires_a_consent() {
    let fixture = Fixture::new(Collection::data_access).await;
    let token = fixture.token();
    let refused = fixture.ls(&token, "").await;
    assert_eq!(refused.status(), 403);
    let document: Value = refused.json().await.unwrap();
    assert_eq!(text(&document, "/code"), "ConsentRequired");
    let scope = text(&document, "/required_scopes/0");
    assert_eq!(
        scope,
        format!(
            "{ALL}[*https://auth.globus.org/scopes/{}/data_access]",
            fixture.collection
        )
    );
    assert_eq!(
        document["authorization_parameters"]["required_scopes"],
        document["required_scopes"]
    );
    fixture.log_in(scope, &[]).await;
    assert_eq!(
        fixture.ls(&token, "").await.status(),
        200,
        "a consent counts at once"
    );
    fixture.globus.revoke_consents(&fixture.ada);
    assert_eq!(fixture.ls(&token, "").await.status(), 403);
}

#[checks::test]
async fn mfa_login_without_a_second_factor_is_denied() {
    let fixture = Fixture::new(|c| c.mfa()).await;
    fixture.globus.set_person(Person::automatic().without_mfa());
    let login = [
        ("session_required_single_domain", "uchicago.edu"),
        ("session_required_mfa", "true"),
    ];
    let location = fixture.answer(ALL, &login).await;
    assert_eq!(
        crate::support::param(&location, "error").as_deref(),
        Some("access_denied")
    );
}

#[checks::test]
async fn misused_tokens_are_refused_or_recorded() {
    let fixture = Fixture::new(|c| c).await;
    let list = format!("v0.10/operation/endpoint/{}/ls", fixture.collection);
    let bare = fixture.http.get(fixture.url(&list)).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(
        text(&bare.json().await.unwrap(), "/code"),
        "ClientError.AuthenticationFailed"
    );
    let unknown = fixture.ls("made-up", "").await;
    assert_eq!(unknown.status(), 401);
    assert_eq!(
        text(&unknown.json().await.unwrap(), "/code"),
        "AuthenticationFailed"
    );

    let token = fixture.token();
    let as_grace = fixture
        .http
        .get(fixture.url(&list))
        .bearer_auth(&token)
        .header(EXPECT_USER, "grace@navy.mil");
    assert_eq!(as_grace.send().await.unwrap().status(), 200);
    let twice = fixture
        .http
        .get(fixture.url(&list))
        .bearer_auth(&token)
        .bearer_auth(&token);
    twice.send().await.unwrap();
    fixture.ls(&token, "?access_token=oops").await;
    let kinds: Vec<_> = fixture
        .globus
        .violations()
        .iter()
        .map(|violation| violation.kind)
        .collect();
    let expected = [
        ViolationKind::UnknownToken,
        ViolationKind::WrongUser,
        ViolationKind::SeveralCredentials,
        ViolationKind::TokenInUrl,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        fixture.globus.requests().last().unwrap().user.as_deref(),
        Some("ada@uchicago.edu")
    );

    assert!(fixture.globus.revoke_token(&token) && !fixture.globus.revoke_token("made-up"));
    assert_eq!(fixture.ls(&token, "").await.status(), 401);
    assert!(
        fixture
            .globus
            .issue_token(&Identity::new("eve", "evil.example"), ALL)
            .is_err()
    );
    assert!(
        fixture
            .globus
            .issue_token(&fixture.ada, "nonsense")
            .is_err()
    );
}

#[checks::test]
async fn fail_next_replaces_one_response() {
    let fixture = Fixture::new(|c| c).await;
    fixture
        .globus
        .fail_next(RequestKind::List, 503, r#"{"code": "ServiceUnavailable"}"#);
    let token = fixture.token();
    assert_eq!(fixture.ls(&token, "").await.status(), 503);
    assert_eq!(fixture.ls(&token, "").await.status(), 200);
}
