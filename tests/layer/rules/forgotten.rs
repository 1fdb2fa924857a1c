//! Logout, a change of user, and credentials that the program sets and invalidates.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, EventKind, GaveUp, Principal, ReauthError,
    Reauthenticator, Session, reauth_fn,
};

use tokio::sync::Semaphore;

use super::{bearer, gave_up, seconds, target};
use checks::mock::{
    Answer, Login, MFA, Service, answer, authorization, behind, gated, get, send, settle, spawn,
};

/// An app with a logout.
struct App {
    login: Login,
    revision: AtomicU64,
    /// A look-up that has found its result returns it when it gets a permit.
    look_ups: Semaphore,
}

#[async_trait]
impl Reauthenticator for App {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        self.login.reauthenticate(challenge).await
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let found = self.login.credential(request).await;
        let _permit = self.look_ups.acquire().await.expect("open");
        found
    }

    fn revision(&self, _: &Principal) -> u64 {
        self.revision.load(SeqCst)
    }
}

fn app(login: &Login) -> (Arc<App>, Session) {
    let app = Arc::new(App {
        login: login.clone(),
        revision: AtomicU64::new(7),
        look_ups: Semaphore::new(1),
    });
    (Arc::clone(&app), Session::new(app))
}

/// A service that requires a token, and responds with it.
fn echo(session: &Session) -> Service {
    behind(
        &GareLayer::from_session(session.clone()),
        |request| match authorization(&request) {
            "" | "Bearer old" => answer(403, MFA),
            token => answer(200, token),
        },
    )
}

async fn token_of(client: &Service) -> String {
    text(send(client, get("/")).await).await
}

async fn text(response: Answer) -> String {
    use http_body_util::BodyExt as _;
    let body = response.into_body().collect().await;
    String::from_utf8(body.expect("a body").to_bytes().to_vec()).expect("text")
}

#[checks::test]
async fn logout_takes_the_credential_out_of_use() {
    let login = Login::at_once();
    let (app, session) = app(&login);
    let client = echo(&session);
    assert_eq!(token_of(&client).await, "Bearer token-1");
    assert_eq!(token_of(&client).await, "Bearer token-1");
    app.revision.store(8, SeqCst);
    // The first user's token is not sent again: the second user logs in.
    assert_eq!(token_of(&client).await, "Bearer token-2");
}

#[checks::test]
async fn login_that_ends_after_a_logout_is_dropped() {
    let login = Login::held();
    let (app, session) = app(&login);
    let client = echo(&session);
    let waiting = spawn(&client, get("/"));
    settle().await;
    assert_eq!(login.logins(), 1);
    app.revision.store(8, SeqCst);
    login.let_go();
    let response = waiting.await.expect("no panic");
    assert!(matches!(gave_up(&response), Some(GaveUp::Forgotten)));
    login.let_go();
    assert_eq!(
        token_of(&client).await,
        "Bearer token-2",
        "of a login of its own"
    );
}

/// The waiting request has the result of the login, and its user has logged out.
#[checks::test]
async fn request_is_not_replayed_after_a_logout() {
    let (app, _) = app(&Login::at_once());
    let logout = Arc::clone(&app);
    let session = Session::builder(app).on_event(move |event| {
        if let EventKind::LoggedIn { .. } = event.kind {
            logout.revision.store(8, SeqCst);
        }
    });
    let response = send(&echo(&session.build()), get("/")).await;
    assert_eq!(response.status(), 403);
    assert!(matches!(gave_up(&response), Some(GaveUp::Forgotten)));
}

#[checks::test]
async fn credential_that_was_invalidated_unsent_is_no_evidence() {
    let login = Login::at_once();
    let (own, is_first) = (Arc::new(OnceLock::<Session>::new()), AtomicBool::new(true));
    let known = Arc::clone(&own);
    let session = Session::builder(login.clone()).on_event(move |event| {
        if let EventKind::LoggedIn { .. } = event.kind
            && is_first.swap(false, SeqCst)
        {
            known.get().expect("a session").invalidate(&target());
        }
    });
    let session = session.build();
    assert!(own.set(session.clone()).is_ok());
    let response = send(&echo(&session), get("/")).await;
    assert_eq!((response.status().as_u16(), login.logins()), (200, 2));
}

#[checks::test]
async fn credentials_that_are_always_invalidated_end_the_request() {
    let own = Arc::new(OnceLock::<Session>::new());
    let known = Arc::clone(&own);
    let login = reauth_fn(|_| async { Ok(bearer("written-elsewhere").unverified()) });
    let session = Session::builder(login).on_event(move |event| {
        if let EventKind::LoggedIn { .. } = event.kind {
            known.get().expect("a session").invalidate(&target());
        }
    });
    let session = session.max_replays(2).build();
    assert!(own.set(session.clone()).is_ok());
    let client = behind(&GareLayer::from_session(session.clone()), |_| {
        answer(403, MFA)
    });
    let response = send(&client, get("/")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::Exhausted)));
    assert_eq!((session.stats().logins, session.stats().replays), (3, 0));
}

#[checks::test]
async fn logout_during_a_login_is_no_failed_login() {
    let failed = Arc::<AtomicU64>::default();
    let count = Arc::clone(&failed);
    let login = Login::held();
    let session = Session::builder(login.clone()).on_event(move |event| {
        if let EventKind::LoginFailed { .. } = event.kind {
            count.fetch_add(1, SeqCst);
        }
    });
    let session = session.build();
    let waiting = spawn(&echo(&session), get("/"));
    settle().await;
    session.forget(&Principal::Session);
    login.let_go();
    let response = waiting.await.expect("no panic");
    assert!(matches!(gave_up(&response), Some(GaveUp::Forgotten)));
    settle().await;
    assert_eq!(session.stats().logins, 1);
    assert_eq!((failed.load(SeqCst), session.stats().failed_logins), (0, 0));
}

#[checks::test]
async fn logout_during_a_look_up_is_no_failed_look_up() {
    let failed = Arc::<AtomicU64>::default();
    let count = Arc::clone(&failed);
    let gate = Arc::new(Semaphore::new(0));
    let ends = Arc::clone(&gate);
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let session = Session::builder(login.with_credential(move |_| {
        let ends = Arc::clone(&ends);
        async move {
            let _ended = ends.acquire().await;
            Ok(Some(bearer("late")))
        }
    }));
    let session = session.on_event(move |event| {
        if let EventKind::LookUpFailed { .. } = event.kind {
            count.fetch_add(1, SeqCst);
        }
    });
    let session = session.build();
    let own = session.clone();
    let waiting = tokio::spawn(async move { own.credential(&target()).await });
    settle().await;
    session.forget(&Principal::Session);
    gate.add_permits(1);
    assert!(waiting.await.expect("no panic").is_err());
    assert_eq!((session.stats().look_ups, failed.load(SeqCst)), (1, 0));
}

#[checks::test]
async fn look_up_that_ends_after_a_logout_is_dropped() {
    let login = Login::at_once();
    let (app, session) = app(&login);
    let client = behind(&GareLayer::from_session(session.clone()), |request| {
        answer(200, authorization(&request))
    });
    login.store("first");
    let held = app.look_ups.acquire().await.expect("open");
    let waiting = spawn(&client, get("/"));
    settle().await;
    assert_eq!(login.look_ups(), 1);
    app.revision.store(8, SeqCst);
    login.store("second");
    drop(held);
    // The first user's token is not sent for the second user.
    assert_eq!(text(waiting.await.expect("no panic")).await, "");
    assert_eq!(token_of(&client).await, "Bearer second");
}

#[checks::test]
async fn forgotten_principal_ends_its_waiters() {
    let login = Login::held();
    let session = Session::new(login.clone());
    let client = echo(&session);
    let waiting = spawn(&client, get("/"));
    settle().await;
    session.forget(&Principal::Session);
    let response = waiting.await.expect("no panic");
    assert!(matches!(gave_up(&response), Some(GaveUp::Forgotten)));
    assert_eq!(session.stats().gave_up["forgotten"], 1);
    // The result of the login is dropped.
    login.let_go();
    settle().await;
    assert!(
        session
            .credential(&target())
            .await
            .expect("a look-up")
            .is_none()
    );
}

/// One user's request is not replayed as another user's.
#[checks::test]
async fn challenge_after_a_logout_starts_nothing() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let gate = Arc::new(Semaphore::new(0));
    let layer = GareLayer::from_session(session.clone());
    let is_slow = |_: &str, token: &str| token == "Bearer old";
    let client = gated(&layer, &gate, is_slow, |_| answer(403, MFA));
    let set = |token| session.set_credential(&target(), bearer(token));
    for logouts in 1..=2 {
        set("old").expect("accepted");
        let challenged = spawn(&client, get("/"));
        settle().await;
        session.forget(&Principal::Session);
        set("of-another").expect("accepted");
        gate.add_permits(1);
        let response = challenged.await.expect("no panic");
        assert!(matches!(gave_up(&response), Some(GaveUp::Forgotten)));
        assert_eq!(session.stats().gave_up.values().sum::<u64>(), logouts);
        assert_eq!((login.look_ups(), session.stats().replays), (0, 0));
    }
}

#[checks::test]
async fn credential_can_be_set_and_invalidated() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let client = echo(&session);
    session
        .set_credential(&target(), bearer("mine"))
        .expect("accepted");
    assert_eq!(token_of(&client).await, "Bearer mine");
    let held = session.credential(&target()).await.expect("no look-up");
    assert_eq!(held.expect("one").header_value(), "Bearer mine");
    login.store("mine");
    session.invalidate(&target());
    // The store still has the credential, but it counts as rejected.
    assert_eq!(token_of(&client).await, "Bearer token-1");
}

#[checks::test]
async fn look_up_names_the_invalidated_credential() {
    let login = reauth_fn(|_| async { panic!("a refresh is enough") });
    let session = Session::new(login.with_credential(|request| async move {
        let is_stored = |it: &Credential| it.header_value() == "Bearer stored";
        let token = match request.rejected() {
            Some(rejected) if is_stored(rejected) => "refreshed",
            _ => "stored",
        };
        Ok(Some(bearer(token)))
    }));
    let client = behind(
        &GareLayer::from_session(session.clone()),
        |request| match authorization(&request) {
            "" => answer(401, ""),
            token => answer(200, token),
        },
    );
    assert_eq!(token_of(&client).await, "Bearer stored");
    session.invalidate(&target());
    assert_eq!(token_of(&client).await, "Bearer refreshed");
}

#[checks::test(start_paused = true)]
async fn expired_credential_is_not_returned() {
    let session = Session::new(Login::at_once());
    let short = bearer("short").with_lifetime(seconds(10));
    session.set_credential(&target(), short).expect("accepted");
    let held = async || session.credential(&target()).await.expect("no error");
    assert!(held().await.is_some());
    tokio::time::advance(seconds(10)).await;
    assert!(held().await.is_none());
}

#[checks::test]
async fn set_credential_replays_a_challenged_request() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let gate = Arc::new(Semaphore::new(0));
    let layer = GareLayer::from_session(session.clone());
    let client = gated(
        &layer,
        &gate,
        |_, token| token == "Bearer old",
        |request| match authorization(&request) {
            "Bearer mine" => answer(200, ""),
            _ => answer(403, MFA),
        },
    );
    session
        .set_credential(&target(), bearer("old"))
        .expect("accepted");
    let challenged = spawn(&client, get("/"));
    settle().await;
    session
        .set_credential(&target(), bearer("mine"))
        .expect("accepted");
    gate.add_permits(1);
    assert_eq!(challenged.await.expect("no panic").status(), 200);
    assert_eq!(login.logins(), 0);
}
