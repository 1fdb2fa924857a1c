//! `GET authorize`: what it takes, what it refuses, and how it ends.

use std::time::{Duration, Instant};

use fake_globus::{Person, Policy};
use url::Url;

use crate::support::{ALL, Fixture, OPENID, REDIRECT, param, text};

#[checks::test]
async fn authorize_redirects_with_code_and_state() {
    let fixture = Fixture::new(|c| c).await;
    let location = fixture.answer(ALL, &[]).await;
    assert!(location.as_str().starts_with(REDIRECT));
    assert_eq!(param(&location, "state").as_deref(), Some("xyzzy"));
    assert!(param(&location, "code").is_some());
    assert_eq!(fixture.globus.counts().logins, 1);
}

#[checks::test]
async fn person_can_decline_or_delay_a_login() {
    let fixture = Fixture::new(|c| c).await;
    fixture.globus.set_person(Person::automatic().declines());
    let location = fixture.answer(ALL, &[]).await;
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&location, "state").as_deref(), Some("xyzzy"));
    assert_eq!(param(&location, "code"), None);

    fixture
        .globus
        .set_person(Person::automatic().delay(Duration::from_millis(200)));
    let start = Instant::now();
    assert!(param(&fixture.answer(ALL, &[]).await, "code").is_some());
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(
        (
            fixture.globus.counts().logins,
            fixture.globus.counts().declined
        ),
        (1, 1)
    );
}

#[checks::test]
async fn malformed_authorize_request_gets_no_redirect() {
    let fixture = Fixture::new(|c| c).await;
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
        ("scope", "a[b"),
        ("scope", "nonsense"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("access_type", "sometimes"),
        ("prompt", ""),
        // Globus Auth refuses session parameters that are empty or false.
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
        assert!(
            !response.headers().contains_key("location"),
            "{name}={value}"
        );
    }
    let twice = fixture
        .authorize(ALL, &[("prompt", "login"), ("prompt", "login")])
        .await;
    assert_eq!(twice.status(), 400);
    assert_eq!(fixture.globus.counts().logins, 0);
}

#[checks::test]
async fn redirect_uri_is_loopback_or_the_code_page() {
    let fixture = Fixture::new(|c| c).await;
    let code_page = fixture.url("v2/web/auth-code");
    for uri in [
        "http://127.0.0.1:1234/x?y=z",
        "http://localhost:5",
        "http://[::1]:5/",
        &code_page,
    ] {
        assert_eq!(
            fixture
                .authorize(ALL, &[("redirect_uri", uri)])
                .await
                .status(),
            302,
            "{uri}"
        );
    }
    let kept = fixture
        .answer(ALL, &[("redirect_uri", "http://127.0.0.1:1234/x?y=z")])
        .await;
    assert_eq!(param(&kept, "y").as_deref(), Some("z"));
    let own = fixture.url("v2/oauth2/token");
    assert_eq!(
        fixture
            .authorize(ALL, &[("redirect_uri", &own)])
            .await
            .status(),
        400
    );
}

#[checks::test]
async fn login_picks_an_identity_that_satisfies_the_requirement() {
    let policy = Policy::new("Navy").domain("navy.mil");
    let policy_id = policy.id().to_string();
    let fixture = Fixture::new(|c| c.policy(policy)).await;
    let linked = "ada@globusid.org";
    for (name, value, expected) in [
        (
            "session_required_single_domain",
            "globusid.org",
            "ada@uchicago.edu",
        ),
        (
            "session_required_single_domain",
            "nowhere.org,navy.mil",
            "grace@navy.mil",
        ),
        ("session_required_identities", linked, "ada@uchicago.edu"),
        (
            "session_required_policies",
            policy_id.as_str(),
            "grace@navy.mil",
        ),
    ] {
        let tokens = fixture
            .log_in(OPENID, &[(name, value), ("prompt", "login")])
            .await;
        let info = fixture
            .get("v2/oauth2/userinfo", text(&tokens, "/access_token"))
            .await;
        let info = info.json().await.unwrap();
        assert_eq!(
            text(&info, "/preferred_username"),
            expected,
            "{name}={value}"
        );
    }
    for (name, value) in [
        ("session_required_single_domain", "nowhere.org"),
        ("session_required_identities", "nobody@nowhere.org"),
        // Of two people, which nobody is.
        (
            "session_required_identities",
            "ada@uchicago.edu,grace@navy.mil",
        ),
    ] {
        let location = fixture.answer(ALL, &[(name, value)]).await;
        assert_eq!(
            param(&location, "error").as_deref(),
            Some("access_denied"),
            "{name}={value}"
        );
    }
}

#[checks::test]
async fn picked_identity_is_never_replaced() {
    let fixture = Fixture::new(|c| c).await;
    fixture
        .globus
        .set_person(Person::automatic().picks("grace@navy.mil"));
    let tokens = fixture.log_in(OPENID, &[]).await;
    let info = fixture
        .get("v2/oauth2/userinfo", text(&tokens, "/access_token"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(text(&info, "/preferred_username"), "grace@navy.mil");
    let location = fixture
        .answer(ALL, &[("session_required_single_domain", "uchicago.edu")])
        .await;
    assert_eq!(param(&location, "error").as_deref(), Some("access_denied"));
}

#[checks::test]
async fn request_for_another_host_is_misdirected() {
    let fixture = Fixture::new(|c| c).await;
    let url: Url = fixture.authorize_url(ALL, &[]);
    let response = fixture
        .http
        .get(url)
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 421);
}
