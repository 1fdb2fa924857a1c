//! Forged redirects, codes, tokens, and responses of a Globus Auth.

use std::sync::{Arc, Mutex};

use checks::browser::{Browser, parameter, sent_to};
use checks::sample::Sample;
use fake_globus::{FakeGlobus, Person, RequestKind, ViolationKind};
use globus_gare::Environment;
use globus_gare::gare::AuthorizationParameters;
use globus_login::{GlobusApp, LoginReply, prompt_fn};
use serde_json::json;
use url::Url;

use super::violations;
use crate::support::*;

/// A login whose redirect an attacker changes: its result, and the Globus.
async fn answered(
    sample: &Sample,
    forge: impl Fn(Url) -> LoginReply + Send + Sync + Clone + 'static,
) -> Result<(), String> {
    let prompt = prompt_fn(move |request| {
        let forge = forge.clone();
        async move { Ok(forge(sent_to(request.authorize_url()).await)) }
    });
    let app = app(&sample.globus, &Browser::closed()).prompt(prompt);
    let app = app.build().expect("an app");
    let ended = app.login().await.map_err(|error| format!("{error:?}"));
    assert_eq!(ended.is_ok(), logged_in_user(&app).await.is_some());
    ended
}

fn redirected(url: Url) -> LoginReply {
    let mut redirect_uri = url.clone();
    redirect_uri.set_query(None);
    LoginReply::Redirect {
        url,
        redirect_uri: redirect_uri.into(),
    }
}

fn page_with_the_code(globus: &FakeGlobus) -> String {
    format!("{}v2/web/auth-code", globus.auth_url())
}

#[checks::test]
async fn forged_redirect_logs_nobody_in() {
    let sample = globus(|collection| collection).await;
    let forged = mallorys_redirect(&sample.globus, &page_with_the_code(&sample.globus)).await;
    let code = parameter(&forged, "code").expect("a code");
    let kept = |state: &str| {
        let mut url = forged.clone();
        url.set_query(Some(&format!("code={code}{state}")));
        url
    };
    for url in [
        forged.clone(),
        kept(""),
        kept("&state="),
        kept("&state=%00"),
    ] {
        let ended = answered(&sample, move |_| redirected(url.clone())).await;
        assert!(
            ended
                .expect_err("forged")
                .contains("does not belong to this login")
        );
    }
    assert_eq!(
        sample.globus.counts().code_grants,
        0,
        "the code was not even tried"
    );
}

#[checks::test]
async fn doubled_parameter_is_rejected() {
    let sample = globus(|collection| collection).await;
    for doubled in [
        "code=mallorys",
        "state=mallorys",
        "error=access_denied&error=x",
    ] {
        let ended = answered(&sample, move |mut url| {
            let query = format!("{}&{doubled}", url.query().unwrap_or_default());
            url.set_query(Some(&query));
            redirected(url)
        });
        ended.await.expect_err(doubled);
    }
    assert_eq!(sample.globus.counts().code_grants, 0);
}

#[checks::test]
async fn stolen_code_gives_nobody_a_token() {
    let sample = globus(|collection| collection).await;
    let (token, client) = (
        format!("{}v2/oauth2/token", sample.globus.auth_url()),
        sample.globus.client_id().to_string(),
    );
    let stolen = Arc::<Mutex<Option<Url>>>::default();
    let keep = Arc::clone(&stolen);
    // The thief redeems the code first; the program never gets the redirect.
    let ended = answered(&sample, move |url| {
        *keep.lock().expect("whole") = Some(url);
        LoginReply::Code(String::new())
    });
    ended.await.expect_err("no code");
    let url = stolen.lock().expect("whole").take().expect("a redirect");
    let (code, redirect_uri) = (
        parameter(&url, "code").expect("a code"),
        page_with_the_code(&sample.globus),
    );
    for verifier in [None, Some(""), Some(VERIFIER)] {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let answer = checks::browser::client()
            .post(&token)
            .form(&form)
            .send()
            .await;
        let answer = answer.expect("an answer");
        assert!(answer.status().is_client_error(), "{verifier:?}");
        assert!(!answer.text().await.expect("text").contains("access_token"));
    }
    assert_eq!(sample.globus.counts().code_grants, 0);
    assert!(
        violations(&sample.globus).contains(&ViolationKind::WrongVerifier),
        "the code was good"
    );
}

#[checks::test]
async fn pasted_code_of_another_login_is_rejected() {
    let sample = globus(|collection| collection).await;
    let mallorys = mallorys_redirect(&sample.globus, &page_with_the_code(&sample.globus)).await;
    let code = parameter(&mallorys, "code").expect("a code");
    let ended = answered(&sample, move |_| LoginReply::Code(code.clone())).await;
    assert!(ended.expect_err("Mallory's").contains("invalid_grant"));
    assert_eq!(violations(&sample.globus), [ViolationKind::WrongVerifier]);
    assert_eq!(sample.globus.counts().code_grants, 0);
}

/// The result of a login at the attacker's own Globus Auth.
async fn log_in_at(attacker: &Attacker) -> Result<(), String> {
    let prompt = prompt_fn(|request| async move {
        let state = parameter(request.authorize_url(), "state").expect("a state");
        let url = format!("{}?code=the-code&state={state}", request.redirect_uri());
        Ok(LoginReply::redirect(&request, url.parse().expect("a URL")))
    });
    let app = GlobusApp::user("program")
        .auth_url(&attacker.url)
        .prompt(prompt);
    let app = app.build().expect("an app");
    let ended = app.login().await.map_err(|error| format!("{error:?}"));
    assert_eq!(ended.is_ok(), logged_in_user(&app).await.is_some());
    ended
}

#[checks::test]
async fn token_endpoint_cannot_send_the_code_elsewhere() {
    for status in [301, 302, 303, 307, 308] {
        let stranger = Attacker::always(response(200, "{}")).await;
        let auth = Attacker::always(redirect(status, &stranger.url)).await;
        log_in_at(&auth).await.expect_err("no tokens");
        assert!(auth.requests()[0].contains("the-code"));
        assert_eq!(stranger.requests(), [] as [String; 0], "{status}");
    }
}

fn tokens(claims: Option<serde_json::Value>) -> http::Response<String> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut tokens = json!({
        "access_token": "of-mallory", "expires_in": 1000, "scope": "openid", "token_type": "Bearer",
        "resource_server": "auth.globus.org",
    });
    if let Some(claims) = claims {
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        tokens["id_token"] = format!("e30.{claims}.e30").into();
    }
    response(200, tokens.to_string())
}

#[checks::test]
async fn id_token_for_another_program_logs_nobody_in() {
    let ada = "a0a0a0a0-0000-4000-8000-000000000000";
    for claims in [
        None,
        Some(json!({"sub": ada})),
        Some(json!({"sub": ada, "aud": "another program"})),
        Some(json!({"sub": ada, "aud": ["another program"]})),
        Some(json!({"aud": "program"})),
        Some(json!([ada])),
    ] {
        let auth = Attacker::always(tokens(claims.clone())).await;
        log_in_at(&auth).await.expect_err("whose is it?");
        let revoked = auth
            .requests()
            .into_iter()
            .filter(|it| it.starts_with("/v2/oauth2/token/revoke"));
        assert_eq!(revoked.count(), 1, "{claims:?}");
    }
    let auth = Attacker::always(tokens(Some(json!({"sub": ada, "aud": "program"})))).await;
    log_in_at(&auth).await.expect("a login");
}

#[checks::test]
async fn endless_token_response_fills_no_memory() {
    let long = format!("{{\"access_token\": \"{}\"}}", "a".repeat(2 << 20));
    let auth = Attacker::always(response(200, long)).await;
    let error = log_in_at(&auth).await.expect_err("too long");
    assert!(error.contains("TooLong") && error.len() < 1_000, "{error}");
}

#[checks::test]
fn login_never_goes_over_a_network_in_the_clear() {
    let clear = "http://auth.evil.example/";
    let refused = GlobusApp::user("program").auth_url(clear).build();
    refused.expect_err("an auth_url");
    let environment = Environment::from_variables([("GLOBUS_SDK_SERVICE_URL_AUTH", clear)]);
    let refused = GlobusApp::user("program").environment(environment).build();
    refused.expect_err("a variable");
    GlobusApp::user("program")
        .auth_url("https://auth.example/")
        .build()
        .expect("encrypted");
}

#[checks::test]
async fn other_persons_login_does_not_take_over() {
    let sample = globus(|collection| collection).await;
    let app = logged_in(app(&sample.globus, &Browser::redirected())).await;
    let ada = logged_in_user(&app).await;
    sample.globus.set_person(Person::automatic().picks(MALLORY));
    sample.globus.forget_browser();
    let forced = AuthorizationParameters::default();
    app.login_with(forced).await.expect_err("Mallory");
    assert_eq!(logged_in_user(&app).await, ada);
    let seen = sample.globus.requests();
    let revoked = seen.iter().filter(|seen| seen.kind == RequestKind::Revoke);
    assert!(revoked.count() > 0, "Mallory's tokens");
    let client = client(&app, sample.trust());
    assert_eq!(get(&client, &sample.listing()).await.0, 200);
    let seen = sample.globus.requests();
    let listing = seen.iter().find(|seen| seen.kind == RequestKind::List);
    let user = listing.and_then(|seen| seen.user.as_deref());
    assert_eq!(user, Some("ada@uchicago.edu"));
}
