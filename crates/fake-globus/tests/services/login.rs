//! `GET authorize`: its parameters, its errors and its redirect.

use std::time::{Duration, Instant};

use fake_globus::{Person, Policy};

use crate::support::{ALL, Fixture, OPENID, REDIRECT, assert_denied, code, parameter, send};

/// Asserts that a redirect has the state of the request.
#[track_caller]
fn assert_state(redirect: &url::Url) {
    let state = parameter(redirect, "state");
    assert_eq!(state.as_deref(), Some("xyzzy"), "{redirect}");
}

#[checks::test]
async fn authorize_redirects_with_code_and_state() {
    let fixture = Fixture::open().await;
    let redirect = fixture.answer(ALL, &[]).await;
    assert!(redirect.as_str().starts_with(REDIRECT));
    assert_state(&redirect);
    code(&redirect);
    assert_eq!(fixture.globus.counts().logins, 1);
}

#[checks::test]
async fn person_can_decline_or_delay_a_login() {
    let fixture = Fixture::open().await;
    fixture.globus.set_person(Person::automatic().declines());
    let redirect = fixture.answer(ALL, &[]).await;
    assert_denied(&redirect);
    assert_state(&redirect);
    assert_eq!(parameter(&redirect, "code"), None);

    let delay = Duration::from_millis(200);
    fixture.globus.set_person(Person::automatic().delay(delay));
    let start = Instant::now();
    fixture.code().await;
    assert!(start.elapsed() >= delay);
    let counts = fixture.globus.counts();
    assert_eq!((counts.logins, counts.declined), (1, 1));
}

#[checks::test]
async fn malformed_authorize_request_gets_no_redirect() {
    let fixture = Fixture::open().await;
    for (name, value) in [
        ("client_id", "nonsense"),
        ("client_id", "00000000-0000-0000-0000-000000000000"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://127.0.0.1.evil.example/"),
        ("redirect_uri", "http://user@127.0.0.1/"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", ""),
        ("response_type", "token"),
        ("scope", ""),
        ("scope", " "),
        ("scope", "a[b"),
        ("scope", "nonsense"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("access_type", "sometimes"),
        ("prompt", ""),
        // Globus Auth rejects session parameters that are empty or false.
        ("session_required_identities", ""),
        ("session_required_identities", "ada@uchicago.edu,,"),
        ("session_required_policies", ""),
        ("session_required_policies", "not-a-policy"),
        ("session_required_single_domain", ""),
        ("session_required_mfa", "False"),
        ("session_required_mfa", ""),
        ("session_required_mfa", "True"),
        ("session_message", ""),
    ] {
        let response = fixture.authorize(ALL, &[(name, value)]).await;
        assert_eq!(response.status(), 400, "{name}={value}");
        let headers = response.headers();
        assert!(!headers.contains_key("location"), "{name}={value}");
    }
    let twice = [("prompt", "login"), ("prompt", "login")];
    assert_eq!(fixture.authorize(ALL, &twice).await.status(), 400);
    assert_eq!(fixture.globus.counts().logins, 0);
}

#[checks::test]
async fn redirect_uri_is_loopback_or_the_code_page() {
    let fixture = Fixture::open().await;
    let (code_page, token) = (
        fixture.url("v2/web/auth-code"),
        fixture.url("v2/oauth2/token"),
    );
    for (uri, status) in [
        ("http://127.0.0.1:1234/x?y=z", 302),
        ("http://localhost:5", 302),
        ("http://[::1]:5/", 302),
        (&code_page, 302),
        (&token, 400),
    ] {
        let response = fixture.authorize(ALL, &[("redirect_uri", uri)]).await;
        assert_eq!(response.status(), status, "{uri}");
    }
    let with_query = [("redirect_uri", "http://127.0.0.1:1234/x?y=z")];
    let redirect = fixture.answer(ALL, &with_query).await;
    assert_eq!(parameter(&redirect, "y").as_deref(), Some("z"));
}

#[checks::test]
async fn login_picks_an_identity_that_satisfies_the_requirement() {
    let policy = Policy::new("Navy").domain("navy.mil");
    let policy_id = policy.id().to_string();
    let fixture = Fixture::new(|c| c.policy(policy)).await;
    let (domain, identities) = (
        "session_required_single_domain",
        "session_required_identities",
    );
    let (ada, grace) = ("ada@uchicago.edu", "grace@navy.mil");
    for (name, value, expected) in [
        (domain, "globusid.org", ada),
        (domain, "nowhere.org,navy.mil", grace),
        (identities, "ada@globusid.org", ada),
        ("session_required_policies", policy_id.as_str(), grace),
    ] {
        let required = [(name, value), ("prompt", "login")];
        let tokens = fixture.log_in(OPENID, &required).await;
        assert_eq!(fixture.username(&tokens).await, expected, "{name}={value}");
    }
    for (name, value) in [
        (domain, "nowhere.org"),
        (identities, "nobody@nowhere.org"),
        // Identities of two people.
        (identities, "ada@uchicago.edu,grace@navy.mil"),
    ] {
        assert_denied(&fixture.answer(ALL, &[(name, value)]).await);
    }
}

#[checks::test]
async fn picked_identity_is_never_replaced() {
    let fixture = Fixture::open().await;
    let grace = Person::automatic().picks("grace@navy.mil");
    fixture.globus.set_person(grace);
    let tokens = fixture.log_in(OPENID, &[]).await;
    assert_eq!(fixture.username(&tokens).await, "grace@navy.mil");
    let of_ada = [("session_required_single_domain", "uchicago.edu")];
    assert_denied(&fixture.answer(ALL, &of_ada).await);
}

#[checks::test]
async fn request_for_another_host_is_misdirected() {
    let fixture = Fixture::open().await;
    let request = fixture.http.get(fixture.authorize_url(ALL, &[]));
    let response = send(request.header("host", "evil.example")).await;
    assert_eq!(response.status(), 421);
}

#[checks::test]
async fn refresh_tokens_come_by_parameter_or_by_scope() {
    let fixture = Fixture::open().await;
    let by_scope = format!("{ALL} offline_access");
    for (scope, access_type, gives) in [
        (ALL, "online", false),
        (ALL, "offline", true),
        (&by_scope, "online", true),
    ] {
        let tokens = fixture.log_in(scope, &[("access_type", access_type)]).await;
        let found = tokens.get("refresh_token").is_some();
        assert_eq!(found, gives, "{scope} {access_type}");
    }
}
