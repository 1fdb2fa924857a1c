//! Refreshes: in the background, with a time limit and a backoff.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GaveUp, ReauthError, Reauthenticator, Session, Why,
    reauth_fn,
};
use http::{HeaderValue, Request};
use tokio::time::{Instant, advance, sleep};
use tower::{Layer, ServiceExt, service_fn};

use super::{bearer, gave_up, seconds, target};
use checks::mock::{
    Body, Login, MFA, Service, answer, authorization, behind, get, responses, send, settle, spawn,
    token_number,
};

/// How a token endpoint responds to a refresh.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Endpoint {
    Hangs,
    IsDown,
    /// With tokens of this lifetime in seconds, each after a second.
    Refreshes(u64),
}

struct App {
    endpoint: Endpoint,
    /// The lifetime of the first token, in seconds.
    lifetime: u64,
    refreshes: AtomicUsize,
    looks: AtomicUsize,
    logins: AtomicUsize,
}

impl App {
    fn new(endpoint: Endpoint, lifetime: u64) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            lifetime,
            refreshes: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
            logins: AtomicUsize::new(0),
        })
    }

    fn refreshes(&self) -> usize {
        self.refreshes.load(SeqCst)
    }
}

#[async_trait]
impl Reauthenticator for App {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        self.logins.fetch_add(1, SeqCst);
        Ok(bearer("login"))
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        if matches!(request.why(), Why::Initial) {
            return Ok(Some(
                bearer("token-0").with_lifetime(seconds(self.lifetime)),
            ));
        }
        if !request.may_refresh() {
            self.looks.fetch_add(1, SeqCst);
            return Ok(None);
        }
        let number = self.refreshes.fetch_add(1, SeqCst) + 1;
        match self.endpoint {
            Endpoint::Hangs => std::future::pending().await,
            Endpoint::IsDown => Err(ReauthError::unavailable("Globus Auth answers 503")),
            Endpoint::Refreshes(lifetime) => {
                sleep(seconds(1)).await;
                let token = bearer(&format!("token-{number}"));
                Ok(Some(token.with_lifetime(seconds(lifetime))))
            }
        }
    }
}

/// A service that responds with the request's token, or with 401 if the token is `rejected`.
fn service(app: &Arc<App>, rejected: fn(&str) -> bool) -> Service {
    let session = Session::new(Arc::clone(app));
    behind(&GareLayer::from_session(session), move |request| {
        let token = authorization(&request);
        answer(if rejected(token) { 401 } else { 200 }, token)
    })
}

async fn token_of(client: &Service) -> String {
    use http_body_util::BodyExt as _;
    let body = send(client, get("/")).await.into_body().collect().await;
    String::from_utf8(body.expect("a body").to_bytes().to_vec()).expect("text")
}

#[checks::test(start_paused = true)]
async fn credential_that_ends_soon_is_used_while_it_is_refreshed() {
    let app = App::new(Endpoint::Refreshes(3600), 3600);
    let client = service(&app, |_| false);
    assert_eq!(token_of(&client).await, "Bearer token-0");
    advance(seconds(3300) - seconds(1)).await;
    assert_eq!(token_of(&client).await, "Bearer token-0");
    settle().await;
    assert_eq!(app.refreshes(), 0, "it lives for more than five minutes");
    advance(seconds(1)).await;
    let began = Instant::now();
    let all: Vec<_> = (0..50).map(|_| spawn(&client, get("/"))).collect();
    assert!(responses(all).await.iter().all(|it| it.status() == 200));
    assert_eq!(began.elapsed(), seconds(0), "nobody waits");
    sleep(seconds(1)).await;
    settle().await;
    assert_eq!(app.refreshes(), 1);
    assert_eq!(token_of(&client).await, "Bearer token-1");
}

#[checks::test(start_paused = true)]
async fn hanging_refresh_delays_no_request_with_a_valid_token() {
    let app = App::new(Endpoint::Hangs, 100);
    let client = service(&app, |_| false);
    token_of(&client).await;
    advance(seconds(50)).await;
    for _ in 0..10 {
        let began = Instant::now();
        assert_eq!(token_of(&client).await, "Bearer token-0");
        assert_eq!(began.elapsed(), seconds(0));
    }
    assert_eq!(app.refreshes(), 1, "one at a time");
}

#[checks::test(start_paused = true)]
async fn expired_credential_waits_ten_seconds_for_its_refresh() {
    let app = App::new(Endpoint::Hangs, 100);
    let client = service(&app, |_| true);
    let session = client.session().clone();
    let first = send(&client, get("/")).await;
    // Its 401 started a refresh, which hangs.
    assert!(matches!(gave_up(&first), Some(GaveUp::Unavailable(_))));
    advance(seconds(100)).await;
    let began = Instant::now();
    let response = send(&client, get("/")).await;
    assert_eq!(response.status(), 401);
    let reason = gave_up(&response);
    assert!(matches!(reason, Some(GaveUp::Unavailable(error)) if error.is_unavailable()));
    assert!(began.elapsed() <= seconds(10), "{:?}", began.elapsed());
    // The limit is counted from the beginning of the refresh.
    let began = Instant::now();
    send(&client, get("/")).await;
    assert_eq!(began.elapsed(), seconds(0));
    assert_eq!(app.logins.load(SeqCst), 0, "no login starts");
    assert_eq!(session.stats().logins, 0);
}

#[checks::test(start_paused = true)]
async fn expired_credential_waits_for_no_login() {
    let login = Login::held();
    let session = Session::new(login.clone());
    let client = behind(
        &GareLayer::from_session(session.clone()),
        |request| match request.uri().path() {
            "/mfa" => answer(403, MFA),
            _ => answer(200, authorization(&request)),
        },
    );
    let short = bearer("short").with_lifetime(seconds(10));
    session.set_credential(&target(), short).expect("accepted");
    let _challenged = spawn(&client, get("/mfa"));
    settle().await;
    assert_eq!(login.logins(), 1, "and it is not released");
    advance(seconds(10)).await;
    login.store("refreshed");
    let began = Instant::now();
    assert_eq!(token_of(&client).await, "Bearer refreshed");
    assert_eq!(began.elapsed(), seconds(0));
}

#[checks::test(start_paused = true)]
async fn late_refresh_is_kept() {
    let app = App::new(Endpoint::Refreshes(3600), 10);
    let session = Session::builder(Arc::clone(&app))
        .refresh_timeout(seconds(0))
        .build();
    let client = behind(&GareLayer::from_session(session), |request| {
        answer(200, authorization(&request))
    });
    assert_eq!(send(&client, get("/")).await.status(), 200);
    advance(seconds(10)).await;
    send(&client, get("/")).await;
    sleep(seconds(1)).await;
    settle().await;
    assert_eq!(token_of(&client).await, "Bearer token-1");
    assert_eq!(app.refreshes(), 1);
}

#[checks::test(start_paused = true)]
async fn short_lived_tokens_are_refreshed_after_half_their_life() {
    let app = App::new(Endpoint::Refreshes(60), 60);
    let client = service(&app, |_| false);
    for _ in 0..600 {
        token_of(&client).await;
        settle().await;
        advance(seconds(1)).await;
    }
    let refreshes = app.refreshes();
    assert!((10..=21).contains(&refreshes), "{refreshes} in ten minutes");
}

#[checks::test(start_paused = true)]
async fn plain_401_refreshes_back_off() {
    let app = App::new(Endpoint::Refreshes(3600), 3600);
    let session = Session::builder(Arc::clone(&app))
        .login_on_401(false)
        .build();
    let client = behind(&GareLayer::from_session(session), |_| answer(401, "{}"));
    for _ in 0..1000 {
        assert_eq!(send(&client, get("/")).await.status(), 401);
    }
    let at_once = app.refreshes();
    assert!(at_once <= 5, "{at_once}");
    assert!(app.looks.load(SeqCst) > 900, "looking is always allowed");
    for _ in 0..600 {
        advance(seconds(1)).await;
        send(&client, get("/")).await;
    }
    let refreshes = app.refreshes();
    assert!(refreshes <= at_once + 28, "{refreshes} in ten minutes");
}

#[checks::test(start_paused = true)]
async fn unavailable_endpoint_starts_no_login() {
    let app = App::new(Endpoint::IsDown, 10);
    let client = service(&app, |token| token != "Bearer login");
    for _ in 0..3 {
        let response = send(&client, get("/")).await;
        let reason = gave_up(&response);
        assert!(matches!(reason, Some(GaveUp::Unavailable(_))), "{reason:?}");
    }
    assert_eq!(app.logins.load(SeqCst), 0);
}

#[checks::test(start_paused = true)]
async fn late_401_after_an_unavailable_look_up_starts_no_login() {
    let login = reauth_fn(|_| async { panic!("nobody is asked") });
    let session =
        Session::new(login.with_credential(|_| async {
            Err(ReauthError::unavailable("Globus Auth answers 503"))
        }));
    // The look-up before the request no longer backs off when the response comes.
    let service = service_fn(|_: Request<Body>| async {
        sleep(Duration::from_millis(1200)).await;
        Ok::<_, Infallible>(answer(401, "{}"))
    });
    let client = GareLayer::from_session(session).layer(service);
    let response = client.oneshot(get("/")).await.expect("a response");
    let reason = gave_up(&response);
    assert!(matches!(reason, Some(GaveUp::Unavailable(_))), "{reason:?}");
}

#[checks::test]
async fn unavailable_look_up_starts_no_login_for_a_requirement() {
    let login = reauth_fn(|_| async { panic!("nobody is asked") });
    let session =
        Session::new(login.with_credential(|_| async {
            Err(ReauthError::unavailable("the store does not answer"))
        }));
    let client = behind(&GareLayer::from_session(session), |_| answer(403, MFA));
    let response = send(&client, get("/")).await;
    let reason = gave_up(&response);
    assert!(matches!(reason, Some(GaveUp::Unavailable(_))), "{reason:?}");
}

#[checks::test(start_paused = true)]
async fn refresh_that_helped_may_be_repeated_at_once() {
    let app = App::new(Endpoint::Refreshes(3600), 3600);
    let session = Session::new(Arc::clone(&app));
    let least = Arc::new(AtomicUsize::new(0));
    let accepted = Arc::clone(&least);
    let client = behind(&GareLayer::from_session(session), move |request| {
        let is_good = token_number(&request) >= accepted.load(SeqCst);
        answer(if is_good { 200 } else { 401 }, "")
    });
    for token in 0..5 {
        least.store(token, SeqCst);
        assert_eq!(send(&client, get("/")).await.status(), 200);
        assert_eq!(app.refreshes(), token);
    }
    assert_eq!(app.logins.load(SeqCst), 0);
}

#[checks::test(start_paused = true)]
async fn look_up_names_the_credential_to_replace() {
    let rejected = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&rejected);
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let session = Session::new(login.with_credential(move |request| {
        let rejected = request.rejected().map(|it| it.header_value().clone());
        let mut all = told.lock().expect("whole");
        all.push(rejected);
        let token = bearer(&format!("token-{}", all.len()));
        async { Ok(Some(token.with_lifetime(seconds(100)))) }
    }));
    let client = behind(&GareLayer::from_session(session), |request| {
        answer(if token_number(&request) < 3 { 401 } else { 200 }, "")
    });
    for after in [0, 0, 100] {
        advance(seconds(after)).await;
        send(&client, get("/")).await;
    }
    let rejected = rejected.lock().expect("whole");
    let expected = [0, 1, 2, 3].map(|number| match number {
        0 => None,
        _ => HeaderValue::try_from(format!("Bearer token-{number}")).ok(),
    });
    assert_eq!(*rejected, expected);
}

#[checks::test(start_paused = true)]
async fn refresh_after_an_invalidation_is_not_repeated_at_once() {
    let may_refresh = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&may_refresh);
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let session = Session::new(login.with_credential(move |request| {
        let mut all = told.lock().expect("whole");
        all.push(request.may_refresh());
        let token = bearer(&format!("token-{}", all.len().min(2)));
        async { Ok(Some(token)) }
    }));
    let client = behind(&GareLayer::from_session(session.clone()), |request| {
        let is_first = token_number(&request) == 1;
        answer(if is_first { 200 } else { 401 }, "")
    });
    assert_eq!(send(&client, get("/")).await.status(), 200);
    session.invalidate(&target());
    assert_eq!(send(&client, get("/")).await.status(), 401);
    // The look-up after the 401 reads the store alone.
    assert_eq!(*may_refresh.lock().expect("whole"), [true, true, false]);
}

#[checks::test]
async fn look_ups_under_way_are_bounded() {
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let login = login.with_credential(|_| std::future::pending());
    let session = Session::builder(login).max_origins(1).build();
    let client = behind(&GareLayer::from_session(session.clone()), |_| {
        answer(200, "")
    });
    let mut waiting = Vec::new();
    for (service, waits) in [("groups", true), ("search", true), ("transfer", false)] {
        let uri = format!("https://{service}.api.globus.org/");
        let mut request = get("/");
        *request.uri_mut() = uri.parse().expect("a URI");
        let request = spawn(&client, request);
        settle().await;
        assert_eq!(request.is_finished(), !waits, "{service}");
        waiting.push(request);
    }
    assert_eq!(session.stats().look_ups, 2);
}
