//! Several services of one session: the state of each, and the effect of a login at one on the
//! others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, ReauthError, Reauthenticator, Session, Trust,
};
use http::Request;
use tower::ServiceExt;

use super::look_ups::keeping;
use checks::mock::{Body, Login, MFA, answer, get};

fn at(service: &str, path: &str) -> Request<Body> {
    let uri = format!("https://{service}.api.globus.org{path}");
    Request::get(uri).body(Body::default()).expect("a request")
}

#[checks::test(start_paused = true)]
async fn login_at_one_service_makes_the_others_look_again() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/mfa", "") => answer(403, MFA),
        _ => answer(200, ""),
    });
    // The service, the tokens that it gets, the look-ups so far.
    let send = async |service: &str, path: &str, token: &str, look_ups: usize| {
        let response = client.clone().oneshot(at(service, path)).await;
        assert_eq!(response.expect("an answer").status(), 200);
        let sent = sent.lock().expect("whole").pop();
        assert_eq!(sent, Some(format!("{path} {token}")), "{service}");
        assert_eq!(login.look_ups(), look_ups, "{service}");
    };
    send("groups", "/groups", "", 1).await;
    send("search", "/search", "", 2).await;
    // Before it is sent, and before anybody is asked.
    send("transfer", "/mfa", "Bearer token-1", 4).await;
    assert_eq!(login.logins(), 1);
    // One login brought tokens for all services: look-ups find them.
    login.store("of-the-same-login");
    send("groups", "/groups", "Bearer of-the-same-login", 5).await;
    send("search", "/search", "Bearer of-the-same-login", 6).await;
    send("transfer", "/mfa", "Bearer token-1", 6).await;
}

#[checks::test]
async fn bound_on_origins_drops_the_oldest_credential() {
    const SERVICES: [&str; 4] = ["transfer", "groups", "search", "auth-requirements"];
    // At least one is kept, even with a bound of 0.
    for (bound, kept) in [(0, 1), (1, 1), (2, 2), (3, 3)] {
        let login = Login::at_once();
        let session = Session::builder(login.clone()).max_origins(bound).build();
        let sent = Arc::default();
        let client = keeping(&session, &sent, |_, token| match token {
            "" => answer(403, MFA),
            _ => answer(200, ""),
        });
        let send = async |service: &str| {
            let response = client.clone().oneshot(at(service, "/")).await;
            assert_eq!(response.expect("an answer").status(), 200);
            std::mem::take(&mut *sent.lock().expect("whole"))
        };
        for (index, service) in SERVICES.iter().enumerate() {
            let token = format!("/ Bearer token-{}", index + 1);
            assert_eq!(send(service).await, ["/ ", &token], "{bound}");
            assert_eq!(send(service).await, [token], "{bound}: the newest");
        }
        let looked_up = login.look_ups();
        for (index, service) in SERVICES.iter().enumerate().rev().take(kept) {
            let token = format!("/ Bearer token-{}", index + 1);
            assert_eq!(send(service).await, [token], "{bound}: {service}");
        }
        assert_eq!((login.logins(), login.look_ups()), (4, looked_up));
        let dropped = SERVICES[SERVICES.len() - kept - 1];
        assert_eq!(send(dropped).await, ["/ ", "/ Bearer token-5"], "{bound}");
        // Before it is sent, and before anybody is asked.
        assert_eq!(login.look_ups(), looked_up + 2, "{bound}: a look-up");
    }
}

#[checks::test]
async fn look_up_that_finds_nothing_drops_no_credential() {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).max_origins(1).build();
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/", "") => answer(403, MFA),
        _ => answer(200, ""),
    });
    for request in [get("/"), at("groups", "/open"), get("/")] {
        let response = client.clone().oneshot(request).await;
        assert_eq!(response.expect("an answer").status(), 200);
    }
    let expected = ["/ ", "/ Bearer token-1", "/open ", "/ Bearer token-1"];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

#[checks::test]
async fn services_of_one_session_never_share_a_token() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| {
        let expected = match path {
            "/transfer" => "Bearer token-1",
            _ => "Bearer token-2",
        };
        answer(if token == expected { 200 } else { 403 }, MFA)
    });
    for request in [
        get("/transfer"),
        at("groups", "/groups"),
        get("/transfer"),
        at("groups", "/groups"),
    ] {
        let response = client.clone().oneshot(request).await;
        assert_eq!(response.expect("an answer").status(), 200);
    }
    let expected = [
        "/transfer ",
        "/transfer Bearer token-1",
        "/groups ",
        "/groups Bearer token-2",
        "/transfer Bearer token-1",
        "/groups Bearer token-2",
    ];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

/// Finds the same token in each look-up. The tenth look-up fails.
#[derive(Default)]
struct Unchanged {
    logins: AtomicUsize,
    look_ups: AtomicUsize,
}

#[async_trait]
impl Reauthenticator for Unchanged {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        let login = self.logins.fetch_add(1, SeqCst) + 1;
        Ok(Credential::bearer(format!("token-{login}"))?)
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        match self.look_ups.fetch_add(1, SeqCst) {
            0..9 => Ok(Some(Credential::bearer("unchanged")?)),
            _ => Err(ReauthError::new("too many look-ups")),
        }
    }
}

#[checks::test]
async fn token_is_looked_for_once_after_another_services_login() {
    let unchanged = Arc::new(Unchanged::default());
    let session = Session::new(Arc::clone(&unchanged));
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/open", _) | (_, "Bearer token-1" | "Bearer token-2") => answer(200, ""),
        _ => answer(403, MFA),
    });
    for (request, logins, look_ups) in [
        (at("groups", "/open"), 0, 1),
        // Before it is sent, and before anybody is asked.
        (get("/transfer"), 1, 3),
        // The login at the other service might have changed the token. It did not, so this service
        // needs a login too.
        (at("groups", "/groups"), 2, 4),
    ] {
        let uri = request.uri().clone();
        let response = client.clone().oneshot(request).await;
        assert_eq!(response.expect("an answer").status(), 200, "{uri}");
        let counts = [&unchanged.logins, &unchanged.look_ups].map(|count| count.load(SeqCst));
        assert_eq!(counts, [logins, look_ups], "{uri}");
    }
    let expected = [
        "/open Bearer unchanged",
        "/transfer Bearer unchanged",
        "/transfer Bearer token-1",
        "/groups Bearer unchanged",
        "/groups Bearer token-2",
    ];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

#[checks::test]
async fn case_of_a_host_makes_no_other_origin() {
    let trust = Trust::globus().origin("https://data.Example.edu");
    let session = Session::builder(Login::at_once()).trust(trust.expect("an origin"));
    let sent = Arc::default();
    let client = keeping(&session.build(), &sent, |_, token| match token {
        "" => answer(403, MFA),
        _ => answer(200, ""),
    });
    for (host, expected) in [
        ("data.example.edu", &["", "Bearer token-1"][..]),
        ("DATA.EXAMPLE.EDU", &["Bearer token-1"]),
        ("transfer.api.globus.org", &["", "Bearer token-2"]),
        ("Transfer.API.Globus.org", &["Bearer token-2"]),
        ("AUTH.globus.org", &["", "Bearer token-3"]),
        ("Elsewhere.example.edu", &[""]),
    ] {
        let request = Request::get(format!("https://{host}/")).body(Body::default());
        let response = client.clone().oneshot(request.expect("a request")).await;
        drop(response.expect("an answer"));
        let sent = std::mem::take(&mut *sent.lock().expect("whole"));
        let expected: Vec<_> = expected.iter().map(|it| format!("/ {it}")).collect();
        assert_eq!(sent, expected, "{host}");
    }
}
