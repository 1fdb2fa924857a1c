//! Look-ups and refreshes: when they run, how often, and which requests wait for them.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::layer::{GareLayer, ReplayableBody};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, ReauthError,
    Reauthenticator, Session,
};
use http::header::CONTENT_ENCODING;
use http::{HeaderValue, Request, Response};
use tokio::task::JoinHandle;
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{
    Answer, Body, Login, MFA, Once, POLICY, Service, answer, authorization, behind, get,
    presenting, responses, send, settle, spawn, with,
};

/// A service that records its requests: `PATH TOKEN`.
pub(crate) fn keeping(
    session: &Session,
    sent: &Arc<Mutex<Vec<String>>>,
    answer: impl Fn(&str, &str) -> Response<Body> + Clone + Send + Sync + 'static,
) -> Service {
    let sent = Arc::clone(sent);
    behind(&GareLayer::from_session(session.clone()), move |request| {
        let (path, token) = (request.uri().path(), authorization(&request));
        let mut sent = sent.lock().expect("whole");
        sent.push(format!("{path} {token}"));
        assert!(sent.len() < 10, "without end: {sent:?}");
        answer(path, token)
    })
}

/// Finds a new token in each look-up.
#[derive(Default)]
struct Endless(AtomicUsize);

#[async_trait]
impl Reauthenticator for Endless {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Err(ReauthError::declined())
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        let number = self.0.fetch_add(1, SeqCst) + 1;
        Ok(Some(Credential::bearer(format!("renewed-{number}"))?))
    }
}

/// A session in which a plain `401` starts no login.
fn quiet(reauthenticator: impl Reauthenticator) -> Session {
    Session::builder(reauthenticator)
        .login_on_401(false)
        .build()
}

#[checks::test]
async fn repeated_401_is_refreshed_once() {
    let session = quiet(Endless::default());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |_, _| answer(401, "{}"));
    let response = client.oneshot(get("/")).await.expect("an answer");
    assert_eq!(response.status(), 401);
    let expected = ["/ Bearer renewed-1", "/ Bearer renewed-2"];
    assert_eq!(*sent.lock().expect("whole"), expected);
    let outcome = response.extensions().get::<GareOutcome>();
    let outcome = outcome.expect("the request was replayed");
    assert_eq!((outcome.replays(), outcome.logins()), (1, 0));
    assert!(outcome.found().is_empty());
    assert_eq!(outcome.gave_up().map(GaveUp::name), Some("no_prompt"));
}

#[checks::test]
async fn same_token_is_not_sent_twice() {
    let login = Login::at_once().stored("same");
    let session = quiet(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |_, _| answer(401, "{}"));
    let response = client.oneshot(get("/")).await.expect("an answer");
    assert_eq!(*sent.lock().expect("whole"), ["/ Bearer same"]);
    assert_eq!(gave_up(&response), Some("no_prompt"));
    assert_eq!(login.look_ups(), 2, "before it was sent, and after");
}

/// The name of the reason, if the session gave up.
fn gave_up<B>(response: &Response<B>) -> Option<&'static str> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    outcome.gave_up().map(GaveUp::name)
}

/// An unreplayable request starts a refresh for later requests, unless the program turns that off.
#[checks::test]
async fn unreplayable_request_causes_no_refresh_if_set_so() {
    let cases = [(false, 1, "Bearer old"), (true, 2, "Bearer new")];
    // The response is not read, so the body is not claimed.
    let cases = cases.map(|case| [(case, "identity"), (case, "gzip")]);
    for ((refreshes, look_ups, next), encoding) in cases.into_iter().flatten() {
        let login = Login::at_once().stored("old");
        let session = Session::builder(login.clone())
            .login_if_not_replayable(refreshes)
            .build();
        let layer = GareLayer::from_session(session.clone());
        let store = login.clone();
        let service = service_fn(move |_: Request<Once>| {
            store.store("new");
            let mut response = answer(401, "{}");
            let encoding = HeaderValue::from_static(encoding);
            response.headers_mut().insert(CONTENT_ENCODING, encoding);
            async { Ok::<_, std::convert::Infallible>(response) }
        });
        let once = get("/").map(|_| Once);
        let response = layer.layer(service).oneshot(once).await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), 401);
        assert_eq!(gave_up(&response), Some("not_replayable"));
        assert_eq!(login.look_ups(), look_ups, "with that before it was sent");

        let sent = Arc::default();
        let client = keeping(&session, &sent, |_, _| {
            answer(403, r#"{"code":"PermissionDenied"}"#)
        });
        let response = send(&client, get("/403")).await;
        assert!(response.extensions().get::<GareOutcome>().is_none());
        assert_eq!(*sent.lock().expect("whole"), [format!("/403 {next}")]);
        assert_eq!((login.look_ups(), login.logins()), (look_ups, 0));
    }
}

#[checks::test]
async fn refreshed_request_with_login_only_is_not_replayed() {
    let login = Login::at_once().stored("old");
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let store = login.clone();
    let client = keeping(&session, &sent, move |_, _| {
        store.store("new");
        answer(401, "{}")
    });
    let only = with(get("/401"), GareOptions::new().login_only());
    assert_eq!(gave_up(&send(&client, only).await), Some("login_only"));
    assert_eq!(*sent.lock().expect("whole"), ["/401 Bearer old"]);
    assert_eq!((login.look_ups(), login.logins()), (2, 0));
}

#[checks::test]
async fn response_without_a_gare_has_no_outcome_after_a_look_up() {
    let session = Session::new(Login::at_once().stored("token"));
    let client = keeping(&session, &Arc::default(), |_, _| answer(200, ""));
    let hurried = GareOptions::new().max_wait(Duration::from_secs(5));
    let response = client.oneshot(with(get("/"), hurried)).await;
    let response = response.expect("an answer");
    assert_eq!(session.stats().look_ups, 1, "it waited for that");
    assert!(response.extensions().get::<GareOutcome>().is_none());
}

/// A session in which `/mfa` has a login under way.
async fn logging_in(
    login: &Login,
    sent: &Arc<Mutex<Vec<String>>>,
) -> (Service, JoinHandle<Answer>) {
    let session = Session::new(login.clone());
    let client = keeping(&session, sent, |path, token| match (path, token) {
        ("/open", _) | (_, "Bearer token-1") => answer(200, ""),
        _ => answer(403, MFA),
    });
    let first = spawn(&client, get("/mfa"));
    settle().await;
    // One look-up before the request was sent, and one before the login.
    assert_eq!((login.logins(), login.look_ups()), (1, 2));
    (client, first)
}

/// The status of the response to `request`, which must not wait.
async fn sent_at_once(client: &Service, request: Request<Body>) -> u16 {
    let request = spawn(client, request);
    settle().await;
    assert!(request.is_finished());
    request.await.expect("no panic").status().as_u16()
}

#[checks::test]
async fn request_without_a_credential_waits_for_a_running_login() {
    let login = Login::held();
    let sent = Arc::default();
    let (client, first) = logging_in(&login, &sent).await;
    let second = spawn(&client, get("/second"));
    settle().await;
    login.let_go();
    for response in responses([first, second]).await {
        assert_eq!(response.status(), 200);
    }
    let sent = sent.lock().expect("whole");
    let seconds: Vec<_> = sent.iter().filter(|sent| sent.contains("second")).collect();
    assert_eq!(seconds, ["/second Bearer token-1"]);
    assert_eq!(login.look_ups(), 2);
}

/// Asserts that `request` gets `status` during a login, after so many look-ups of its own.
async fn assert_waits_for_no_login(request: Request<Body>, status: u16, look_ups: usize) {
    let login = Login::held();
    let (client, first) = logging_in(&login, &Arc::default()).await;
    assert_eq!(sent_at_once(&client, request).await, status);
    assert_eq!(login.look_ups(), 2 + look_ups);
    login.let_go();
    assert_eq!(first.await.expect("no panic").status(), 200);
}

#[checks::test]
async fn no_prompt_request_waits_for_no_login() {
    let quiet = with(get("/second"), GareOptions::new().no_prompt());
    assert_waits_for_no_login(quiet, 403, 2).await;
}

#[checks::test]
async fn request_to_another_service_waits_for_no_login() {
    let elsewhere = Request::get("https://groups.api.globus.org/open");
    let elsewhere = elsewhere.body(Body::default()).expect("a request");
    assert_waits_for_no_login(elsewhere, 200, 1).await;
}

#[checks::test]
async fn request_with_a_credential_waits_for_no_login() {
    let login = Login::held();
    let session = Session::new(login.clone());
    let client = keeping(&session, &Arc::default(), |path, token| match token {
        "Bearer token-2" => answer(200, ""),
        "Bearer token-1" if path == "/" => answer(200, ""),
        _ => answer(403, MFA),
    });
    login.let_go();
    let response = send(&client, get("/")).await;
    assert_eq!((response.status().as_u16(), login.logins()), (200, 1));
    let more = keeping(&session, &Arc::default(), |_, token| match token {
        "Bearer token-2" => answer(200, ""),
        _ => answer(403, POLICY),
    });
    let other = spawn(&more, get("/policy"));
    settle().await;
    assert_eq!(login.logins(), 2, "and it is not released");
    assert_eq!(sent_at_once(&client, get("/")).await, 200);
    assert!(!other.is_finished());
    login.let_go();
    assert_eq!(other.await.expect("no panic").status(), 200);
}

/// Finds the token that a test stored last. Has no logins.
struct Elsewhere(Mutex<&'static str>);

#[async_trait]
impl Reauthenticator for Elsewhere {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Err(ReauthError::declined())
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        let left = *self.0.lock().expect("whole");
        Ok(Some(Credential::bearer(left)?))
    }
}

#[checks::test]
async fn stored_credential_of_another_login_replaces_a_rejected_one() {
    let elsewhere = Arc::new(Elsewhere(Mutex::new("old")));
    let session = Session::new(Arc::clone(&elsewhere));
    let sent = Arc::default();
    let client = keeping(&session, &sent, |_, token| {
        answer(if token == "Bearer new" { 200 } else { 401 }, "{}")
    });
    let ask = async || send(&client, get("/")).await.status().as_u16();
    assert_eq!(ask().await, 401);
    *elsewhere.0.lock().expect("whole") = "new";
    assert_eq!(ask().await, 200);
    let expected = ["/ Bearer old", "/ Bearer old", "/ Bearer new"];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

/// A body that counts its claims.
#[derive(Clone, Default)]
struct Claimed(Arc<AtomicUsize>);

impl ReplayableBody for Claimed {
    fn try_clone(&mut self) -> Option<Self> {
        Some(self.clone())
    }

    fn claim(&self) -> bool {
        self.0.fetch_add(1, SeqCst);
        true
    }
}

#[checks::test]
async fn body_is_claimed_only_if_a_401_can_be_refreshed() {
    let layer = GareLayer::from_session(quiet(Login::at_once().stored("stored")));
    let service = service_fn(|_: Request<Claimed>| async {
        Ok::<_, std::convert::Infallible>(answer(401, "{}"))
    });
    // A presented credential has no successor; the session's credential may have one.
    for (own, claims) in [(true, 0), (false, 1)] {
        let body = Claimed::default();
        let mut request = get("/").map(|_| body.clone());
        if own {
            request = presenting(request, "Bearer own");
        }
        let answer = layer.layer(service).oneshot(request).await;
        assert_eq!(answer.expect("an answer").status(), 401);
        assert_eq!(body.0.load(SeqCst), claims, "own: {own}");
    }
}
