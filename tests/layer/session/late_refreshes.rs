//! Refreshes that end after a login do not replace its credential.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, ReauthError,
    Reauthenticator, Session,
};
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::look_ups::keeping;
use checks::mock::{Login, MFA, answer, get, send, settle, spawn, with};

type Refreshed = Result<Option<Credential>, ReauthError>;

/// Logs in as [`Login`] does. A test ends its next refresh.
struct Held {
    login: Login,
    next: Mutex<Option<oneshot::Receiver<Refreshed>>>,
}

#[async_trait]
impl Reauthenticator for Held {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        self.login.reauthenticate(challenge).await
    }

    async fn credential(&self, request: &CredentialRequest) -> Refreshed {
        let next = self.next.lock().expect("whole").take();
        match next {
            Some(next) => next.await.expect("an end"),
            None => self.login.credential(request).await,
        }
    }
}

fn token(token: &str) -> Credential {
    Credential::bearer(token).expect("a token")
}

/// The `401` of a request starts a refresh, which ends after another request's login.
async fn refresh_ends_after_a_login(refreshed: Refreshed) {
    let login = Login::at_once().stored("old");
    let held = Arc::new(Held {
        login: login.clone(),
        next: Mutex::default(),
    });
    let session = Session::new(Arc::clone(&held));
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/open", _) | (_, "Bearer token-1") => answer(200, ""),
        ("/401", _) => answer(401, "{}"),
        _ => answer(403, MFA),
    });
    let send = async |path: &str| {
        let response = client.clone().oneshot(get(path)).await;
        response.expect("an answer").status().as_u16()
    };
    assert_eq!(send("/open").await, 200);
    let (end, next) = oneshot::channel();
    *held.next.lock().expect("whole") = Some(next);
    let refreshing = tokio::spawn(client.clone().oneshot(get("/401")));
    settle().await;
    assert!(held.next.lock().expect("whole").is_none(), "under way");
    assert_eq!((send("/mfa").await, login.logins()), (200, 1));

    let shown = format!("{refreshed:?}");
    end.send(refreshed).expect("the refresh is under way");
    let refreshing = refreshing.await.expect("no panic").expect("an answer");
    assert_eq!(refreshing.status(), 200, "{shown}");
    let outcome = refreshing.extensions().get::<GareOutcome>();
    let outcome = outcome.expect("it was replayed");
    assert_eq!((outcome.logins(), outcome.replays()), (0, 1), "{shown}");
    assert_eq!(send("/open").await, 200);
    let expected = [
        "/open Bearer old",
        "/401 Bearer old",
        "/mfa Bearer old",
        "/mfa Bearer token-1",
        "/401 Bearer token-1",
        "/open Bearer token-1",
    ];
    assert_eq!(*sent.lock().expect("whole"), expected, "{shown}");
}

#[checks::test]
async fn late_refresh_leaves_the_credential_of_the_login() {
    for refreshed in [
        Ok(Some(token("refreshed"))),
        Ok(Some(token("old"))),
        Ok(None),
        Err(ReauthError::new("the network is down")),
    ] {
        refresh_ends_after_a_login(refreshed).await;
    }
}

/// A look-up of a session without a credential ends after a login.
#[checks::test]
async fn late_look_up_leaves_the_credential_of_the_login() {
    let login = Login::held();
    let held = Arc::new(Held {
        login: login.clone(),
        next: Mutex::default(),
    });
    let session = Session::new(Arc::clone(&held));
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/open", _) | (_, "Bearer token-1") => answer(200, ""),
        _ => answer(403, MFA),
    });
    let first = spawn(&client, get("/mfa"));
    settle().await;
    assert_eq!(login.logins(), 1);
    // The request waits for its look-up, not for the login.
    let (end, next) = oneshot::channel();
    *held.next.lock().expect("whole") = Some(next);
    let quiet = with(get("/open"), GareOptions::new().no_prompt());
    let quiet = spawn(&client, quiet);
    settle().await;
    assert!(held.next.lock().expect("whole").is_none(), "under way");
    login.let_go();
    let mut all = vec![first.await.expect("no panic")];
    end.send(Ok(Some(token("looked-up")))).expect("it goes on");
    all.push(quiet.await.expect("no panic"));
    all.push(send(&client, get("/open")).await);
    assert!(all.iter().all(|response| response.status() == 200));
    let expected = [
        "/mfa ",
        "/mfa Bearer token-1",
        "/open Bearer token-1",
        "/open Bearer token-1",
    ];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

#[checks::test]
async fn refresh_is_kept_though_others_look_meanwhile() {
    let held = Arc::new(Held {
        login: Login::at_once().stored("old"),
        next: Mutex::default(),
    });
    let session = Session::new(Arc::clone(&held));
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/open", _) | ("/401", "Bearer refreshed") => answer(200, ""),
        ("/401", _) => answer(401, "{}"),
        _ => answer(403, MFA),
    });
    assert_eq!(send(&client, get("/open")).await.status(), 200);
    let (end, next) = oneshot::channel();
    *held.next.lock().expect("whole") = Some(next);
    let refreshing = spawn(&client, get("/401"));
    settle().await;
    let quiet = with(get("/mfa"), GareOptions::new().no_prompt());
    assert_eq!(send(&client, quiet).await.status(), 403);
    assert_eq!(session.stats().look_ups, 3, "the refresh is one of them");
    end.send(Ok(Some(token("refreshed")))).expect("it goes on");
    assert_eq!(refreshing.await.expect("no panic").status(), 200);
    assert_eq!(held.login.logins(), 0);
}
