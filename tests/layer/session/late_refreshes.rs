//! Refreshes that end after a login: what the login brought stays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::reauth::{
    Challenge, Credential, GareOptions, GareOutcome, ReauthError, Reauthenticator, Session, Target,
};
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::renewals::keeping;
use checks::mock::{Login, MFA, answer, get, settle, with};

type Refreshed = Result<Option<Credential>, ReauthError>;

/// Logs in as [`Login`] does; its next refresh ends when the test says so.
struct Held {
    login: Login,
    next: Mutex<Option<oneshot::Receiver<Refreshed>>>,
}

#[async_trait]
impl Reauthenticator for Held {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        self.login.reauthenticate(challenge).await
    }

    async fn credential(&self, target: &Target) -> Refreshed {
        let next = self.next.lock().expect("whole").take();
        match next {
            Some(next) => next.await.expect("an end"),
            None => self.login.credential(target).await,
        }
    }
}

fn token(token: &str) -> Credential {
    Credential::bearer(token).expect("a token")
}

/// A request whose `401` has a refresh under way while another request logs in.
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
    end.send(refreshed).expect("it is waited for");
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

/// The first look-up of a session, which has nothing yet, ends after a login.
#[checks::test]
async fn late_look_up_leaves_the_credential_of_the_login() {
    let login = Login::at_once();
    let (end, next) = oneshot::channel();
    let held = Arc::new(Held {
        login: login.clone(),
        next: Mutex::new(Some(next)),
    });
    let session = Session::new(held);
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/open", _) | (_, "Bearer token-1") => answer(200, ""),
        _ => answer(403, MFA),
    });
    // It does not wait for the look-up; the login that it starts goes on without it.
    let hurried = with(get("/mfa"), GareOptions::new().max_wait(Duration::ZERO));
    let response = client.clone().oneshot(hurried).await;
    assert_eq!(response.expect("an answer").status(), 403);
    settle().await;
    assert_eq!(login.logins(), 1);
    end.send(Ok(Some(token("looked-up")))).expect("it goes on");
    settle().await;
    let response = client.oneshot(get("/open")).await;
    assert_eq!(response.expect("an answer").status(), 200);
    assert_eq!(
        *sent.lock().expect("whole"),
        ["/mfa ", "/open Bearer token-1"]
    );
}
