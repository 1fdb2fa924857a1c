//! Logins, challenges and refreshes against FakeGlobus.

use std::error::Error;

use async_trait::async_trait;
use fake_globus::{Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Principal, ReauthError, Reauthenticator, Target};
use globus_login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest, MemoryStore};
use url::Url;

use crate::support::*;

#[checks::test]
async fn challenge_is_answered_by_a_login() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = app(&globus, &browser).build().expect("an app");
    let transfer = target(globus.transfer_url());
    assert!(held(&app, &transfer).await.is_none());

    let asked = AuthorizationParameters::default()
        .with_session_required_single_domain(["uchicago.edu"])
        .with_session_required_mfa(true);
    let credential = answer_challenge(&app, &globus, asked)
        .await
        .expect("a credential");
    assert!(credential.header_value().is_sensitive());
    let kept = held(&app, &transfer).await.expect("a credential");
    assert_eq!(kept.header_value(), credential.header_value());
    let stranger = target("https://evil.example");
    assert!(held(&app.clone(), &stranger).await.is_none());

    let redirect_uri = format!("{}v2/web/auth-code", globus.auth_url());
    for (name, value) in [
        ("prompt", "login"),
        ("session_required_mfa", "True"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", &redirect_uri),
    ] {
        assert_eq!(browser.parameter(0, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(globus.counts().code_grants, 1);
    assert_no_violation(&globus);
}

#[checks::test]
async fn pasted_code_completes_a_login() {
    let globus = globus(Person::automatic()).await;
    let browser =
        Browser::replying(|_, url| Ok(LoginReply::Code(format!(" {}\n", value(&url, "code")))));
    let app = logged_in(app(&globus, &browser)).await;
    let transfer = target(globus.transfer_url());
    assert!(held(&app, &transfer).await.is_some());
    assert!(browser.requests()[0].challenge().is_none());
    assert_eq!(browser.parameter(0, "prompt"), None);
}

#[checks::test]
async fn redirect_with_another_state_is_rejected() {
    let globus = globus(Person::automatic()).await;
    for hands in [
        (|request: &LoginRequest, url: Url| {
            let mut other = url.clone();
            other
                .query_pairs_mut()
                .clear()
                .append_pair("code", &value(&url, "code"))
                .append_pair("state", "other");
            Ok(LoginReply::redirect(request, other))
        }) as Reply,
        |request, url| {
            let mut other = url.clone();
            other
                .query_pairs_mut()
                .clear()
                .append_pair("code", &value(&url, "code"));
            Ok(LoginReply::redirect(request, other))
        },
    ] {
        let browser = Browser::replying(hands);
        let app = app(&globus, &browser).build().expect("an app");
        let error = app.login().await.expect_err("the state is another");
        assert!(
            error.to_string().contains("state") && !error.is_declined(),
            "{error}"
        );
    }
    assert_eq!(requests_of(&globus, RequestKind::Token), 0);
}

#[checks::test]
async fn declined_login_is_a_declined_error() {
    let globus = globus(Person::automatic().declines()).await;
    let app = app(&globus, &Browser::redirected())
        .build()
        .expect("an app");
    let error = app.login().await.expect_err("declined");
    assert!(error.is_declined(), "{error:?}");
    let transfer = target(globus.transfer_url());
    assert!(held(&app, &transfer).await.is_none());
}

/// Pastes a given code.
struct Pastes(String);

#[async_trait]
impl LoginPrompt for Pastes {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        Ok(LoginReply::Code(self.0.clone()))
    }
}

#[checks::test]
async fn stolen_code_fails_without_its_verifier() {
    let globus = globus(Person::automatic()).await;
    // Each login has its own verifier: the thief's does not belong to the code.
    let victim = Browser::replying(|_, _| Err(ReauthError::declined()));
    app(&globus, &victim)
        .build()
        .expect("an app")
        .login()
        .await
        .expect_err("interrupted");
    let code = value(&victim.redirects()[0], "code");
    let thief = app(&globus, &victim)
        .prompt(Pastes(code.clone()))
        .build()
        .expect("an app");
    let error = thief.login().await.expect_err("the verifier is another");
    assert!(
        error.to_string().contains("did not accept the code") && error.source().is_some(),
        "{error:?}"
    );
    assert!(!logged(&error).contains(&code));
}

#[checks::test]
async fn consent_unites_scopes_without_a_fresh_login() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = app(&globus, &browser).scopes_may_be_required(|_, _| true);
    let app = logged_in(app).await;
    let dependent = format!(
        "{TRANSFER_ALL}[*https://auth.globus.org/scopes/{}/data_access]",
        uuid::Uuid::nil()
    );
    answer_challenge(&app, &globus, consent("email openid"))
        .await
        .expect("a credential");
    globus.set_person(Person::automatic().declines());
    answer_challenge(&app, &globus, consent("profile"))
        .await
        .expect_err("declined");
    globus.set_person(Person::automatic());
    let _ = answer_challenge(&app, &globus, consent(&dependent)).await;

    let scope = |login| browser.parameter(login, "scope").expect("scopes");
    assert_eq!(scope(0), format!("{TRANSFER_ALL} openid"));
    assert_eq!(scope(1), format!("{TRANSFER_ALL} openid email"));
    // A scope that was declined is not asked for again.
    assert_eq!(scope(3), format!("{dependent} openid email"));
    for login in 0..browser.logins() {
        for name in ["prompt", "required_scopes"] {
            assert_eq!(browser.parameter(login, name), None, "{name}");
        }
    }
}

#[checks::test]
async fn each_resource_server_gets_its_own_token() {
    let globus = globus(Person::automatic()).await;
    let app =
        logged_in(app(&globus, &Browser::redirected()).scopes(["openid email", TRANSFER_ALL]))
            .await;
    let transfer = target(globus.transfer_url());
    let of_transfer = held(&app, &transfer).await.expect("a credential");
    let auth = target("https://auth.example");
    let of_auth = held(&app, &auth).await.expect("a credential");
    assert_ne!(of_transfer.header_value(), of_auth.header_value());
    let somebody_else = Principal::Named("somebody else".into());
    let named = Target::new(auth.origin().clone(), somebody_else);
    assert!(held(&app, &named).await.is_none(), "identities never mix");
}

#[checks::test]
async fn login_for_an_unknown_service_asks_nobody() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = app(&globus, &browser).build().expect("an app");
    let elsewhere = Challenge::new(
        target("https://data.example.edu"),
        Gare::new("AuthorizationRequired", Default::default()),
    );
    let error = app.reauthenticate(&elsewhere).await.expect_err("unknown");
    assert!(
        error.to_string().contains("https://data.example.edu"),
        "{error}"
    );
    // A service without a known scope gets no token.
    let app = self::app(&globus, &browser)
        .resource_server_for("https://data.example.edu", "data-of-example")
        .build()
        .expect("an app");
    let error = app
        .reauthenticate(&elsewhere)
        .await
        .expect_err("no such token");
    assert!(error.to_string().contains("data-of-example"), "{error}");
    assert_eq!(browser.logins(), 1);
    // An invalid scope starts no login.
    let error = answer_challenge(&app, &globus, consent("a[b"))
        .await
        .expect_err("no scope");
    assert_says(&error, "never closed", &[]);
    assert_eq!(browser.logins(), 1);
}

#[checks::test]
async fn refresh_is_silent_and_answers_no_challenge() {
    let globus = globus(Person::automatic()).await;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let app = logged_in(refreshing(&globus, &browser, &store)).await;
    let access = browser.parameter(0, "access_type");
    assert_eq!(access.as_deref(), Some("offline"));
    let transfer = target(globus.transfer_url());
    let credential = async || held(&app, &transfer).await;
    let first = credential().await.expect("a credential");
    let again = credential().await.expect("a credential");
    assert_eq!(first.header_value(), again.header_value());

    expire(&globus);
    let refreshed = credential().await.expect("a credential");
    assert_ne!(first.header_value(), refreshed.header_value());
    assert_eq!((globus.counts().refresh_grants, browser.logins()), (1, 1));

    answer_challenge(&app, &globus, Default::default())
        .await
        .expect("a credential");
    assert_eq!((globus.counts().refresh_grants, browser.logins()), (1, 2));

    // A rejected refresh token is not redeemed again; a login replaces it.
    globus.revoke_all_tokens();
    expire(&globus);
    let before = requests_of(&globus, RequestKind::Token);
    for _ in 0..2 {
        assert!(credential().await.is_none());
    }
    assert_eq!(requests_of(&globus, RequestKind::Token), before + 1);
    assert!(!app.is_logged_in().await.expect("no error"));
    app.login().await.expect("a login");
    assert!(credential().await.is_some() && browser.logins() == 3);
    assert_no_violation(&globus);
}

#[checks::test]
async fn each_failure_of_globus_auth_has_its_own_error() {
    let globus = globus(Person::automatic()).await;
    let app = app(&globus, &Browser::redirected())
        .build()
        .expect("an app");
    for (status, body, says) in [
        (503, "{}", "503"),
        (
            400,
            r#"{"error": "invalid_client", "error_description": "who?"}"#,
            "invalid_client: who?",
        ),
        (
            200,
            r#"{"access_token": "s3cret", "token_type": "Bearer"}"#,
            "not a token response",
        ),
        (
            200,
            r#"{"access_token": ["s3cret"], "resource_server": 5}"#,
            "not a token response",
        ),
        (401, "", "not a token response"),
        (302, "{}", "302"),
    ] {
        globus.fail_next(RequestKind::Token, status, body);
        let error = app.login().await.expect_err("trouble");
        assert_says(&error, says, &["s3cret"]);
        assert!(!error.is_declined());
    }
    globus.fail_next(RequestKind::Token, 400, r#"{"error": "access_denied"}"#);
    assert!(app.login().await.expect_err("declined").is_declined());
}

#[checks::test]
async fn login_without_a_network_fails_and_hides_the_code() {
    let app = GlobusApp::user("client")
        .auth_url("http://127.0.0.1:1")
        .prompt(Pastes("c0de".to_owned()))
        .build()
        .expect("an app");
    let error = app.login().await.expect_err("nobody listens");
    assert!(error.source().is_some(), "{error:?}");
    assert_says(&error, "", &["c0de"]);
}

#[checks::test]
async fn build_rejects_each_invalid_setting() {
    for (builder, says) in [
        (GlobusApp::user(" "), "client id"),
        (GlobusApp::user("c").auth_url("auth.globus.org"), "URL"),
        (
            GlobusApp::user("c").auth_url("http://auth.example"),
            "https",
        ),
        (GlobusApp::user("c").redirect_uri("nowhere"), "redirect"),
        (
            GlobusApp::user("c").resource_server_for("data", "x"),
            "data",
        ),
        (GlobusApp::user("c").scopes(["a[b"]), "scopes"),
        (GlobusApp::user("c").app_name("\u{7}"), "token file"),
    ] {
        let error = builder.build().expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[checks::test]
async fn debug_output_holds_no_secret() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = app(&globus, &browser)
        .refresh_tokens(true)
        .build()
        .expect("an app");
    let credential = answer_challenge(&app, &globus, Default::default())
        .await
        .expect("a credential");
    let mut secrets = browser.secrets();
    assert_eq!(secrets.len(), 2);
    secrets.push(bearer(&credential));
    let (request, location) = (&browser.requests()[0], browser.redirects()[0].clone());
    let replies = [
        LoginReply::Code(value(&location, "code")),
        LoginReply::redirect(request, location),
    ];
    let shown = format!("{app:?} {credential:?} {request:?} {replies:?}");
    for secret in secrets {
        assert!(!secret.is_empty() && !shown.contains(&secret), "{shown}");
    }
}
