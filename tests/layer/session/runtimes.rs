//! Runtimes without a timer, and runtimes that stop during a login or a look-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::FutureExt;
use globus_gare::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GaveUp, ReauthError, Reauthenticator, Session,
};
use http::Request;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use checks::mock::{
    Answer, Body, Login, MFA, Service, answer, behind, get, outcome, presenting, send, settle,
    spawn, token_number,
};

const LIMIT: Duration = Duration::from_secs(5);
const NEEDS: &str = "a login needs a tokio runtime with a timer, which runs until the login ends";

/// A service that accepts the token of a login.
fn client(login: &(impl Reauthenticator + Clone)) -> Service {
    let session = Session::builder(login.clone()).login_timeout(LIMIT).build();
    behind(&GareLayer::from_session(session), |request| {
        match (request.uri().path(), token_number(&request)) {
            ("/open", _) => answer(200, ""),
            (_, 0) => answer(403, MFA),
            _ => answer(200, ""),
        }
    })
}

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    builder.build().expect("a runtime")
}

/// A request with a token of its own: it is sent at once, and waits only after its challenge.
fn old() -> Request<Body> {
    presenting(get("/"), "Bearer old")
}

/// Sends a request and starts its login, on a runtime that then stops.
fn lead(client: &Service, login: &Login) -> (Runtime, JoinHandle<Answer>) {
    let led = begin(client, old());
    assert_eq!(login.logins(), 1);
    led
}

/// Sends a request that waits, on a runtime that then stops.
fn begin(client: &Service, request: Request<Body>) -> (Runtime, JoinHandle<Answer>) {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let leader = {
        let _entered = runtime.enter();
        spawn(client, request)
    };
    runtime.block_on(settle());
    (runtime, leader)
}

fn failure(response: &Answer) -> &ReauthError {
    match outcome(response).gave_up() {
        Some(GaveUp::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[checks::test]
fn login_without_a_runtime_is_an_error_and_no_panic() {
    let login = Login::at_once();
    let client = client(&login);
    for _ in 0..2 {
        let mut request = Box::pin(send(&client, get("/")));
        // The mock service yields before it responds.
        let polls = std::iter::repeat_with(|| request.as_mut().now_or_never());
        let response = polls.take(10).flatten().next().expect("a response");
        assert_eq!(failure(&response).to_string(), NEEDS);
        assert!(!failure(&response).is_timeout());
    }
    assert_eq!(login.logins(), 0);
    // Nobody was asked, so nothing backs off.
    assert_eq!(paused().block_on(send(&client, get("/"))).status(), 200);
}

#[checks::test]
fn login_without_a_timer_is_an_error_and_no_panic() {
    let login = Login::at_once();
    let client = client(&login);
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    for _ in 0..2 {
        let response = runtime.block_on(send(&client, get("/")));
        assert_eq!(failure(&response).to_string(), NEEDS);
    }
    assert_eq!(login.logins(), 0);
    assert_eq!(paused().block_on(send(&client, get("/"))).status(), 200);
}

#[checks::test]
fn login_whose_runtime_stops_is_led_again() {
    let login = Login::held();
    let client = client(&login);
    let (stopped, leader) = lead(&client, &login);
    let running = paused();
    running.block_on(async {
        let began = Instant::now();
        let response = send(&client, old()).await;
        assert!(failure(&response).is_timeout(), "{response:?}");
        let waited = began.elapsed();
        assert!(waited <= LIMIT + Duration::from_secs(2), "{waited:?}");
        assert_eq!(login.logins(), 1, "it waited for the login of another");

        let next = spawn(&client, old());
        settle().await;
        assert_eq!(login.logins(), 2);
        // The first login would succeed too, if its runtime ran.
        login.let_go();
        login.let_go();
        assert_eq!(next.await.expect("no panic").status(), 200);
    });

    // Too late: another login has taken its place.
    let response = stopped.block_on(leader).expect("no panic");
    assert!(failure(&response).is_timeout(), "{response:?}");
    let response = running.block_on(send(&client, old()));
    assert_eq!((response.status().as_u16(), login.logins()), (200, 2));
}

#[checks::test]
fn login_whose_runtime_is_dropped_is_led_again() {
    let login = Login::held();
    let client = client(&login);
    let (dropped, _) = lead(&client, &login);
    paused().block_on(async {
        let began = Instant::now();
        let waiter = spawn(&client, old());
        settle().await;
        dropped.shutdown_background();
        let response = waiter.await.expect("no panic");
        assert_eq!(failure(&response).to_string(), NEEDS);
        assert_eq!(began.elapsed(), Duration::ZERO, "it fails at once");

        let next = spawn(&client, old());
        settle().await;
        assert_eq!(login.logins(), 2);
        login.let_go();
        assert_eq!(next.await.expect("no panic").status(), 200);
    });
}

/// Finds a credential whenever a test releases a look-up. Has no logins.
#[derive(Clone)]
struct Store {
    look_ups: Arc<AtomicUsize>,
    let_go: Arc<Semaphore>,
}

impl Store {
    fn held() -> Self {
        Self {
            look_ups: Arc::default(),
            let_go: Arc::new(Semaphore::new(0)),
        }
    }

    fn look_ups(&self) -> usize {
        self.look_ups.load(SeqCst)
    }
}

#[async_trait]
impl Reauthenticator for Store {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Err(ReauthError::declined())
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        let look_up = self.look_ups.fetch_add(1, SeqCst) + 1;
        let permit = self.let_go.acquire().await.expect("open");
        permit.forget();
        Ok(Some(Credential::bearer(format!("token-{look_up}"))?))
    }
}

#[checks::test]
fn look_up_whose_runtime_is_dropped_is_made_again() {
    let store = Store::held();
    let client = client(&store);
    let (dropped, _) = begin(&client, get("/"));
    assert_eq!(store.look_ups(), 1);
    drop(dropped);
    store.let_go.add_permits(1);
    let response = paused().block_on(send(&client, get("/")));
    assert_eq!((response.status().as_u16(), store.look_ups()), (200, 2));
}

#[checks::test]
fn late_end_of_a_lost_look_up_leaves_the_next_one() {
    let store = Store::held();
    let client = client(&store);
    let (stopped, _) = begin(&client, get("/"));
    let running = paused();
    running.block_on(async {
        // The request waits until the look-up counts as lost, and is sent without a credential.
        let began = Instant::now();
        let response = send(&client, get("/open")).await;
        assert_eq!((response.status().as_u16(), store.look_ups()), (200, 1));
        assert!(began.elapsed() >= LIMIT, "{:?}", began.elapsed());
    });
    let next = {
        let _entered = running.enter();
        spawn(&client, get("/"))
    };
    running.block_on(settle());
    assert_eq!(store.look_ups(), 2);
    // The lost look-up ends first, and does not replace the other one.
    drop(stopped);
    running.block_on(async {
        let joins = spawn(&client, get("/"));
        settle().await;
        assert_eq!(store.look_ups(), 2, "one look-up for both");
        store.let_go.add_permits(2);
        for request in [next, joins] {
            assert_eq!(request.await.expect("no panic").status(), 200);
        }
    });
}

#[checks::test]
fn login_is_waited_for_without_a_runtime() {
    let login = Login::held();
    let client = client(&login);
    let (runtime, leader) = lead(&client, &login);
    let mut waiter = Box::pin(send(&client, old()));
    for _ in 0..10 {
        assert!(waiter.as_mut().now_or_never().is_none());
    }
    login.let_go();
    let response = runtime.block_on(leader).expect("no panic");
    assert_eq!((response.status().as_u16(), login.logins()), (200, 1));
    let polls = std::iter::repeat_with(|| waiter.as_mut().now_or_never());
    let response = polls.take(10).flatten().next().expect("a response");
    assert_eq!((response.status().as_u16(), login.logins()), (200, 1));
}
