//! A plain `401`, without a GARE: the credential is missing, has expired, or was revoked.

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GareOutcome, GaveUp, Principal, Session, Target};
use http::header::WWW_AUTHENTICATE;

use super::{bearer, gave_up};
use checks::mock::{
    Answer, Login, MFA, Service, answer, authorization, behind, get, presenting, send, with,
};

/// A service that accepts `Bearer token-1`.
fn service(session: Session, offered: Option<&'static str>) -> Service {
    behind(&GareLayer::from_session(session), move |request| {
        if authorization(&request) == "Bearer token-1" {
            return answer(200, "");
        }
        let mut response = answer(
            401,
            r#"{"code":"AuthenticationFailed","message":"No credentials supplied"}"#,
        );
        if let Some(offered) = offered {
            let offered = offered.parse().expect("a value");
            response.headers_mut().insert(WWW_AUTHENTICATE, offered);
        }
        response
    })
}

fn logins_and_replays(response: &Answer) -> (u32, u32) {
    let outcome = response.extensions().get::<GareOutcome>();
    outcome.map_or((0, 0), |outcome| (outcome.logins(), outcome.replays()))
}

#[checks::test]
async fn request_without_a_credential_logs_in_after_401() {
    let login = Login::at_once();
    let client = service(Session::new(login.clone()), None);
    let response = send(&client, get("/")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(logins_and_replays(&response), (1, 1));
    let challenge = &login.challenges()[0];
    assert!(challenge.is_unauthenticated());
    assert!(challenge.gare().authorization_parameters.is_empty());
    let words = "transfer.api.globus.org asks you to log in.";
    assert_eq!(challenge.in_plain_words(), words);
}

#[checks::test]
async fn expired_credential_is_replaced_by_a_login() {
    let login = Login::at_once().stored("old");
    let client = service(Session::new(login.clone()), None);
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn any_login_for_the_origin_covers_a_401() {
    let login = Login::held();
    let session = Session::new(login.clone());
    let client = behind(&GareLayer::from_session(session), |request| {
        match (request.uri().path(), authorization(&request)) {
            (_, "Bearer token-1") => answer(200, ""),
            ("/401", _) => answer(401, "{}"),
            _ => answer(403, MFA),
        }
    });
    let first = checks::mock::spawn(&client, get("/mfa"));
    checks::mock::settle().await;
    let second = checks::mock::spawn(&client, presenting(get("/401"), "Bearer theirs"));
    checks::mock::settle().await;
    // A request with its own token is not the session's.
    assert_eq!(second.await.expect("no panic").status(), 401);
    login.let_go();
    assert_eq!(first.await.expect("no panic").status(), 200);
    assert_eq!(send(&client, get("/401")).await.status(), 200);
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn fresh_login_and_any_credential_do_not_satisfy_each_other() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |request| match authorization(&request) {
        "Bearer token-2" => answer(200, ""),
        "Bearer token-1" => answer(403, r#"{"code":"c","authorization_parameters":{}}"#),
        _ => answer(401, "{}"),
    });
    let response = send(&client, get("/")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(logins_and_replays(&response), (2, 2));
}

#[checks::test]
async fn scheme_that_is_not_bearer_starts_nothing() {
    for (offered, logins) in [
        ("Basic realm=\"x\"", 0),
        ("Basic realm=\"x, Bearer y\"", 0),
        ("Negotiate", 0),
        ("Bearer", 1),
        ("bearer error=\"invalid_token\"", 1),
        ("Basic realm=\"x\", Bearer", 1),
    ] {
        let login = Login::at_once();
        let client = service(Session::new(login.clone()), Some(offered));
        let response = send(&client, get("/")).await;
        assert_eq!(login.logins(), logins, "{offered}");
        assert_eq!(login.look_ups(), 1, "before it was sent: {offered}");
        let expected = if logins == 1 { 200 } else { 401 };
        assert_eq!(response.status(), expected, "{offered}");
    }
}

#[checks::test]
async fn login_on_401_can_be_turned_off() {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).login_on_401(false).build();
    let client = service(session, None);
    let response = send(&client, get("/")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NoPrompt)));
    assert_eq!(login.logins(), 0);
    // A look-up may still find a credential.
    login.store("token-1");
    assert_eq!(send(&client, get("/")).await.status(), 200);
}

#[checks::test]
async fn no_prompt_request_starts_no_login_after_401() {
    let login = Login::at_once();
    let client = service(Session::new(login.clone()), None);
    let quiet = with(get("/"), GareOptions::new().no_prompt());
    let response = send(&client, quiet).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NoPrompt)));
    assert_eq!(login.logins(), 0);
}

#[checks::test(start_paused = true)]
async fn missing_credential_is_not_remembered() {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).login_on_401(false).build();
    let client = service(session, None);
    assert_eq!(send(&client, get("/")).await.status(), 401);
    login.store("token-1");
    assert_eq!(send(&client, get("/")).await.status(), 200);
}

#[checks::test]
async fn head_request_is_challenged_only_by_401() {
    for (status, expected, logins) in [(401, 200, 1), (403, 403, 0), (502, 502, 0)] {
        let login = Login::at_once();
        let client = behind(&login.layer(), move |request| {
            match authorization(&request) {
                "Bearer token-1" => answer(200, ""),
                // The response to a `HEAD` has the headers of a body, and no body.
                _ => answer(status, MFA),
            }
        });
        let mut request = get("/");
        *request.method_mut() = http::Method::HEAD;
        let response = send(&client, request).await;
        assert_eq!(response.status().as_u16(), expected);
        assert_eq!(login.logins(), logins, "{status}");
    }
}

#[checks::test]
async fn second_401_after_a_login_is_no_progress() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |_| answer(401, "{}"));
    let response = send(&client, get("/")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NoProgress)));
    assert_eq!(logins_and_replays(&response), (1, 1));
}

#[checks::test]
async fn plain_401_to_a_set_credential_starts_a_login() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |request| match authorization(&request) {
        "Bearer token-1" => answer(200, ""),
        _ => answer(401, ""),
    });
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Session);
    let set = client.session().set_credential(&target, bearer("old"));
    set.expect("accepted");
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(login.logins(), 1);
}
