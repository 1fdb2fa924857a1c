//! Steps that come before the backoff after a failed login, and the backoff after useless ones.

use std::sync::Arc;
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, GaveUp, ReauthError, Session};
use http::Request;
use tokio::sync::Semaphore;
use tokio::time::advance;

use super::look_ups::keeping;
use checks::mock::{
    Body, CONSENT, Login, MFA, POLICY, Service, answer, authorization, behind, gated, get,
    is_declined, outcome, send, settle, spawn, with,
};

fn token(number: usize) -> Result<Credential, ReauthError> {
    Ok(Credential::bearer(format!("token-{number}"))?)
}

/// Whether a request for `path` gives up because the last login failed.
async fn backs_off(client: &Service, path: &str) -> bool {
    is_declined(&send(client, get(path)).await)
}

#[checks::test]
async fn late_challenge_is_replayed_during_backoff() {
    let login = Login::at_once().then(token(1)).then(token(2));
    let login = login.then(Err(ReauthError::declined()));
    let gate = Arc::new(Semaphore::new(0));
    let is_slow = |path: &str, token: &str| path == "/slow" && token == "Bearer token-1";
    let client = gated(&login.layer(), &gate, is_slow, |request| {
        match (request.uri().path(), authorization(&request)) {
            ("/consent", _) => answer(403, CONSENT),
            (_, "Bearer token-2") => answer(200, ""),
            ("/mfa", "Bearer token-1") => answer(200, ""),
            ("/mfa", _) => answer(403, MFA),
            _ => answer(403, POLICY),
        }
    });
    let status = async |path: &str| send(&client, get(path)).await.status().as_u16();
    assert_eq!(status("/mfa").await, 200);
    let late = spawn(&client, get("/slow"));
    settle().await;
    assert_eq!(status("/policy").await, 200);
    // The session backs off, but has the credential for the late request.
    assert!(backs_off(&client, "/consent").await && backs_off(&client, "/consent").await);
    assert_eq!(login.logins(), 3);
    gate.add_permits(1);
    let late = late.await.expect("no panic");
    let outcome = outcome(&late);
    assert_eq!(late.status(), 200, "{outcome:?}");
    assert_eq!((outcome.logins(), outcome.replays()), (0, 1));
    assert_eq!(login.logins(), 3, "a late challenge starts no login");
}

#[checks::test]
async fn token_of_another_services_login_is_used_during_backoff() {
    let login = Login::at_once().stored("old").then(token(1));
    let login = login.then(Err(ReauthError::declined()));
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/groups", "Bearer new") | ("/mfa", "Bearer token-1") => answer(200, ""),
        ("/consent", _) => answer(403, CONSENT),
        ("/open", _) => answer(200, ""),
        _ => answer(403, MFA),
    });
    let groups = |path| {
        let uri = format!("https://groups.api.globus.org{path}");
        Request::get(uri).body(Body::default()).expect("a request")
    };
    for request in [groups("/open"), get("/mfa")] {
        assert_eq!(send(&client, request).await.status(), 200);
    }
    // Each service has a backoff of its own.
    for request in [groups("/consent"), groups("/consent")] {
        assert!(is_declined(&send(&client, request).await));
    }
    login.store("new");
    assert_eq!(send(&client, groups("/groups")).await.status(), 200);
    assert_eq!(login.logins(), 2);
    let sent = sent.lock().expect("whole");
    assert_eq!(
        sent[sent.len() - 2..],
        ["/groups Bearer old", "/groups Bearer new"]
    );
}

/// No request is accepted after the login: the request that led it is not replayed.
#[checks::test(start_paused = true)]
async fn useless_login_is_not_repeated_by_another_request() {
    for is_dropped in [false, true] {
        let login = Login::held();
        let session = Session::builder(login.clone()).login_on_401(false).build();
        let sent = Arc::default();
        let client = keeping(&session, &sent, |path, _| match path {
            "/401" => answer(401, "{}"),
            _ => answer(403, MFA),
        });
        let only = GareOptions::new().login_only();
        let first = spawn(&client, with(get("/first"), only));
        settle().await;
        if is_dropped {
            first.abort();
        }
        login.let_go();
        settle().await;
        // This one was not accepted either.
        assert_eq!(send(&client, get("/401")).await.status(), 401);
        // Another request that is challenged with the login's credential gives up too.
        for (wait, path, expected) in [(0, "/second", "no_progress"), (29, "/third", "backing_off")]
        {
            advance(Duration::from_secs(wait)).await;
            let response = send(&client, get(path)).await;
            let outcome = outcome(&response);
            assert_eq!(outcome.gave_up().map(GaveUp::name), Some(expected));
            assert_eq!((login.logins(), outcome.logins()), (1, 0), "{path}");
        }
        advance(Duration::from_secs(1)).await;
        let later = spawn(&client, get("/later"));
        settle().await;
        assert_eq!(login.logins(), 2, "a login starts again later");
        login.let_go();
        assert_eq!(later.await.expect("no panic").status(), 403);
        let expected = [
            "/first ",
            "/401 Bearer token-1",
            "/second Bearer token-1",
            "/third Bearer token-1",
            "/later Bearer token-1",
            "/later Bearer token-2",
        ];
        assert_eq!(*sent.lock().expect("whole"), expected);
    }
}

#[checks::test(start_paused = true)]
async fn unmet_requirements_back_off_separately() {
    let login = Login::at_once();
    let layer = GareLayer::new(login.clone());
    let client = behind(&layer, |request| match request.uri().path() {
        "/mfa" => answer(403, MFA),
        "/policy" => answer(403, POLICY),
        _ => answer(200, ""),
    });
    // The seconds to wait, the path, the logins so far.
    for (wait, path, logins) in [
        (0, "/mfa", 1),
        // Other paths accept the login's credential.
        (0, "/open", 1),
        (10, "/policy", 2),
        (0, "/open", 2),
        (0, "/mfa", 2),
        (0, "/policy", 2),
        (19, "/mfa", 2),
        (2, "/mfa", 3),
        (0, "/policy", 3),
    ] {
        advance(Duration::from_secs(wait)).await;
        let expected = if path == "/open" { 200 } else { 403 };
        assert_eq!(send(&client, get(path)).await.status(), expected);
        assert_eq!(login.logins(), logins, "{path} after {wait} s");
    }
}

#[checks::test(start_paused = true)]
async fn backing_off_message_has_the_reason() {
    for (first, expected) in [
        (
            Err(ReauthError::declined()),
            "the login was declined; no login starts for 30 s",
        ),
        (
            Ok(Credential::bearer("of-no-use").expect("a token")),
            "logins did not satisfy the service; no login starts for 30 s",
        ),
    ] {
        let client = behind(&Login::at_once().then(first).layer(), |_| answer(403, MFA));
        send(&client, get("/")).await;
        let response = send(&client, get("/")).await;
        let reason = outcome(&response).gave_up().expect("a reason");
        assert_eq!(reason.to_string(), expected);
    }
}
