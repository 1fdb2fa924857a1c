//! Challenges of collections: their shapes, and the logins that satisfy them.

use std::time::Duration;

use checks::corpus;
use fake_globus::{
    Collection, ComputeEndpoint, EXPECT_USER, ErrorShape, FakeGlobus, Flow, Group, Identity,
    Person, Policy, RequestKind, ViolationKind,
};
use serde_json::{Value, json};

use crate::support::{
    ALL, Fixture, assert_denied, document_code, json as document_of, ok, page, send, text,
};

/// The recorded error with this id in `tests/corpus`.
fn captured(id: &str) -> Value {
    serde_json::from_str(&corpus::body(id)).expect("JSON")
}

/// Replaces the parts that differ between servers.
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
        let resource = format!("/{}", fixture.operation("ls"));
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
async fn old_session_gets_the_recorded_challenge() {
    for (shape, id) in [
        (ErrorShape::Embedded, "transfer-ls-530-r110-embedded-only"),
        (ErrorShape::RootAndDetail, "transfer-ls-530-r100-toplevel"),
    ] {
        let fixture =
            Fixture::new(|c| c.session_minutes(1).domain("uchicago.edu").errors(shape)).await;
        let token = fixture.token();
        assert_eq!(fixture.ls_status(&token).await, 200);
        fixture.globus.clock().advance(Duration::from_secs(61));
        let challenged = fixture.ls(&token, "").await;
        assert_eq!(challenged.status(), 502);
        assert_eq!(challenged.headers()["content-type"], "application/json");
        assert!(challenged.headers().contains_key("x-request-id"));
        let body = page(challenged).await;
        // Two spaces, sorted keys, and a line feed at the end, as in the one capture of the very
        // bytes.
        assert!(body.starts_with("{\n  \"") && body.ends_with("\n}\n"));
        // A line end of the reply is four characters in the message, and six bytes in JSON.
        assert!(
            body.contains("LOGIN_DENIED\\\\r\\\\n530-GridFTP-Message")
                && body.contains("530 End.\\\\r\\\\n\\n\"")
        );
        let document = serde_json::from_str(&body).expect("JSON");
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
        let document = document_of(fixture.ls(&fixture.token(), "").await).await;
        let at_root = document.get("authorization_parameters").is_some();
        assert_eq!(at_root, root, "{shape:?}");
        let result = format!("result#{version}");
        assert!(text(&document, "/message").contains(&result), "{shape:?}");
    }
}

/// A listing is challenged after an ordinary login, and succeeds after a login with these
/// parameters.
async fn satisfied_by(
    policies: impl FnOnce(Collection) -> Collection,
    status: u16,
    code: &str,
    login: &[(&str, &str)],
) {
    let fixture = Fixture::new(policies).await;
    let before = fixture.log_in(ALL, &[]).await;
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let challenged = fixture.ls(text(&before, "/access_token"), "").await;
    assert_eq!(document_code(challenged, status).await, code);
    let after = fixture.log_in(ALL, login).await;
    assert_eq!(fixture.ls_status_with(&after).await, 200, "{code}");
    let seen = fixture.globus.requests().into_iter();
    let lists = seen.filter(|request| request.kind == RequestKind::List);
    let outcomes: Vec<_> = lists.map(|request| request.challenged).collect();
    assert_eq!(outcomes, [true, false]);
    fixture.globus.shutdown().await.expect("no panic");
}

#[checks::test]
async fn session_requirement_is_satisfied_by_its_login() {
    type Policies = fn(Collection) -> Collection;
    let fresh = ("prompt", "login");
    let domain = ("session_required_single_domain", "globusid.org");
    let mfa = ("session_required_mfa", "True");
    let identity = ("session_required_identities", "ada@globusid.org");
    for (policies, login) in [
        ((|c| c.session_minutes(30)) as Policies, &[fresh][..]),
        (|c| c.domain("globusid.org"), &[domain]),
        (|c| c.domain("globusid.org").mfa(), &[domain, mfa]),
        (|c| c.required_identity("ada@globusid.org"), &[identity]),
    ] {
        let code = "ExternalError.DirListingFailed.LoginFailed";
        satisfied_by(policies, 502, code, login).await;
    }
}

#[checks::test]
async fn policy_is_satisfied_by_a_login_that_names_it() {
    for policy in [
        Policy::new("Recent").session_minutes(30),
        Policy::new("GlobusID").domain("globusid.org"),
        Policy::new("Second factor").mfa(),
    ] {
        let id = policy.id().to_string();
        let login = [("session_required_policies", id.as_str())];
        satisfied_by(|c| c.policy(policy), 403, "AuthPolicyFailed", &login).await;
    }
}

#[checks::test]
async fn two_policies_are_satisfied_by_two_identities() {
    let policies = ["uchicago.edu", "globusid.org"].map(|domain| {
        let policy = Policy::new(domain).domain(domain);
        policy.session_minutes(30)
    });
    let ids = policies.each_ref().map(|policy| policy.id().to_string());
    let login = [("session_required_policies", &*ids.join(","))];
    let both = |c: Collection| policies.into_iter().fold(c, Collection::policy);
    satisfied_by(both, 403, "AuthPolicyFailed", &login).await;
}

#[checks::test]
async fn named_identity_and_policy_are_satisfied_by_one_login() {
    let policy = Policy::new("Campus").domain("uchicago.edu");
    let id = policy.id().to_string();
    // Both identities authenticate, whichever is picked.
    for picked in ["ada@uchicago.edu", "ada@globusid.org"] {
        let policy = policy.clone().session_minutes(30);
        let required = |c: Collection| c.required_identity("ada@globusid.org").policy(policy);
        let fixture = Fixture::new(required).await;
        let person = Person::automatic().picks(picked);
        fixture.globus.set_person(person);
        let login = [
            ("session_required_identities", "ada@globusid.org"),
            ("session_required_policies", &*id),
        ];
        let tokens = fixture.log_in(ALL, &login).await;
        assert_eq!(fixture.ls_status_with(&tokens).await, 200, "{picked}");
    }
}

#[checks::test]
async fn domain_and_other_policy_are_satisfied_by_one_login() {
    let policy = Policy::new("Campus").domain("uchicago.edu");
    let id = policy.id().to_string();
    let required = |c: Collection| c.domain("globusid.org").policy(policy.session_minutes(30));
    let fixture = Fixture::new(required).await;
    let login = [
        ("session_required_single_domain", "globusid.org"),
        ("session_required_policies", &*id),
    ];
    let tokens = fixture.log_in(ALL, &login).await;
    assert_eq!(fixture.ls_status_with(&tokens).await, 200);
}

#[checks::test]
async fn login_for_policies_of_two_users_is_denied() {
    let policies = ["uchicago.edu", "navy.mil"].map(|domain| Policy::new(domain).domain(domain));
    let ids = policies.each_ref().map(|policy| policy.id().to_string());
    let fixture = Fixture::new(|c| policies.into_iter().fold(c, Collection::policy)).await;
    let login = [("session_required_policies", &*ids.join(","))];
    assert_denied(&fixture.answer(ALL, &login).await);
}

#[checks::test]
async fn challenge_names_identities_mfa_and_policies() {
    let required = |c: Collection| c.required_identity("ada@globusid.org").mfa();
    let fixture = Fixture::new(required).await;
    let document = document_of(fixture.ls(&fixture.token(), "").await).await;
    let parameters = &document["authorization_parameters"];
    assert_eq!(parameters["session_required_mfa"], true);
    let identities = parameters["session_required_identities"].as_array();
    assert_eq!(identities.map(Vec::len), Some(1));
    let identity = text(parameters, "/session_required_identities/0");
    assert!(text(&document, "/message").contains(identity));

    let (one, two) = (Policy::new("One").mfa(), Policy::new("Two").mfa());
    let ids = format!("{},{}", one.id(), two.id());
    let fixture = Fixture::new(|c| c.policy(one).policy(two)).await;
    let document = document_of(fixture.ls(&fixture.token(), "").await).await;
    let policies = "/authorization_parameters/session_required_policies";
    assert_eq!(text(&document, policies), ids);
}

#[checks::test]
async fn data_access_requires_a_consent() {
    let fixture = Fixture::new(Collection::data_access).await;
    let token = fixture.token();
    let challenged = fixture.ls(&token, "").await;
    assert_eq!(challenged.status(), 403);
    let document = document_of(challenged).await;
    assert_eq!(text(&document, "/code"), "ConsentRequired");
    let scope = text(&document, "/required_scopes/0");
    let id = &fixture.collection;
    let data_access = format!("https://auth.globus.org/scopes/{id}/data_access");
    assert_eq!(scope, format!("{ALL}[*{data_access}]"));
    assert_eq!(
        document["authorization_parameters"]["required_scopes"],
        document["required_scopes"]
    );
    fixture.log_in(scope, &[]).await;
    let status = fixture.ls_status(&token).await;
    assert_eq!(status, 200, "a consent counts at once");
    let revoked = fixture.globus.revoke_consents(&fixture.ada);
    revoked.expect("a known identity");
    assert_eq!(fixture.ls_status(&token).await, 403);
    let unknown = Identity::new("nobody", "nowhere.org");
    for changed in [
        fixture.globus.revoke_consents(&unknown),
        fixture.globus.expire_sessions(&unknown),
    ] {
        let error = changed.expect_err("an unknown identity");
        assert!(
            error.to_string().contains("there is no identity"),
            "{error}"
        );
    }
}

#[checks::test]
async fn session_timeout_alone_is_not_high_assurance() {
    type Policies = fn(Collection) -> Collection;
    for (policies, assured) in [
        ((|c| c.session_minutes(30)) as Policies, false),
        (|c| c.session_minutes(30).high_assurance(), true),
    ] {
        let fixture = Fixture::new(policies).await;
        let path = format!("v0.10/endpoint/{}", fixture.collection);
        let document = ok(fixture.get(&path, &fixture.token()).await).await;
        assert_eq!(document["high_assurance"], assured);
        assert_eq!(document["authentication_timeout_mins"], 30);
    }
}

#[checks::test]
async fn contradictory_collection_does_not_start() {
    type Policies = fn(Collection) -> Collection;
    for policies in [
        (|c| c.high_assurance().data_access()) as Policies,
        |c| c.session_minutes(0),
        |c| c.policy(Policy::new("Never").session_minutes(0)),
    ] {
        let collection = policies(Collection::new("Samples", std::env::temp_dir()));
        let started = FakeGlobus::builder().collection(collection).start().await;
        let error = started.expect_err("a contradiction").to_string();
        assert!(error.contains("\"Samples\""), "{error}");
    }
}

#[checks::test]
async fn policy_of_no_minutes_does_not_start() {
    let never = || Policy::new("Never").session_minutes(0);
    let empty = FakeGlobus::builder;
    for server in [
        empty().flow(Flow::new("Samples").policy(never())),
        empty().compute_endpoint(ComputeEndpoint::new("Samples").policy(never())),
        empty().group(Group::new("Samples").session_minutes(0)),
    ] {
        let error = server.start().await.expect_err("a contradiction");
        assert!(error.to_string().contains("\"Samples\""), "{error}");
    }
}

#[checks::test]
async fn ids_are_the_same_in_every_run() {
    let ids = || {
        let ada = Identity::new("ada", "uchicago.edu").id();
        let collection = Collection::new("Samples", "/").id();
        [ada, collection, Policy::new("Samples").id()]
    };
    assert_eq!(ids(), ids());
    assert!(ids()[1] != ids()[2] && Collection::new("Others", "/").id() != ids()[1]);
    let twice = FakeGlobus::builder()
        .collection(Collection::new("Samples", std::env::temp_dir()))
        .collection(Collection::new("Samples", std::env::temp_dir()));
    let error = twice.start().await.expect_err("one id").to_string();
    assert!(error.contains("two collections"), "{error}");
}

#[checks::test]
async fn mfa_login_without_a_second_factor_is_denied() {
    let fixture = Fixture::new(|c| c.mfa()).await;
    fixture.globus.set_person(Person::automatic().without_mfa());
    let login = [
        ("session_required_single_domain", "uchicago.edu"),
        ("session_required_mfa", "true"),
    ];
    assert_denied(&fixture.answer(ALL, &login).await);
}

#[checks::test]
async fn misused_tokens_are_rejected_or_recorded() {
    let fixture = Fixture::open().await;
    let list = || fixture.http.get(fixture.url(&fixture.operation("ls")));
    let bare = document_code(send(list()).await, 401).await;
    assert_eq!(bare, "ClientError.AuthenticationFailed");
    let unknown = document_code(fixture.ls("made-up", "").await, 401).await;
    assert_eq!(unknown, "AuthenticationFailed");

    let token = fixture.token();
    let as_grace = list()
        .bearer_auth(&token)
        .header(EXPECT_USER, "grace@navy.mil");
    assert_eq!(send(as_grace).await.status(), 200);
    send(list().bearer_auth(&token).bearer_auth(&token)).await;
    fixture.ls(&token, "?access_token=oops").await;
    let expected = [
        ViolationKind::UnknownToken,
        ViolationKind::WrongUser,
        ViolationKind::SeveralCredentials,
        ViolationKind::TokenInUrl,
    ];
    assert_eq!(fixture.violations(), expected);
    let requests = fixture.globus.requests();
    let user = requests.last().and_then(|request| request.user.as_deref());
    assert_eq!(user, Some("ada@uchicago.edu"));

    assert!(fixture.globus.revoke_token(&token) && !fixture.globus.revoke_token("made-up"));
    assert_eq!(fixture.ls_status(&token).await, 401);
    let eve = Identity::new("eve", "evil.example");
    for (identity, scopes) in [(&eve, ALL), (&fixture.ada, "nonsense")] {
        let issued = fixture.globus.issue_token(identity, scopes);
        issued.expect_err("an unknown identity or scope");
    }
}

#[checks::test]
async fn fail_next_replaces_one_response() {
    let fixture = Fixture::open().await;
    let body = r#"{"code": "ServiceUnavailable"}"#;
    fixture.globus.fail_next(RequestKind::List, 503, body);
    let token = fixture.token();
    assert_eq!(fixture.ls_status(&token).await, 503);
    assert_eq!(fixture.ls_status(&token).await, 200);
}
