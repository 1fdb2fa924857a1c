//! The times of a session, to the millisecond.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, ReauthError,
    Reauthenticator, Session, reauth_fn,
};
use http::{Request, Response};
use tokio::time::{Instant, advance};
use tower::{Layer, ServiceExt, service_fn};

use super::look_ups::keeping;
use checks::mock::{
    Body, Login, MFA, Service, answer, authorization, behind, get, presenting, settle,
    token_number, with,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A service that accepts tokens with a number of at least `wanted`.
fn wanting(session: &Session, wanted: &Arc<AtomicUsize>) -> Service {
    let wanted = Arc::clone(wanted);
    behind(&GareLayer::from_session(session.clone()), move |request| {
        if token_number(&request) >= wanted.load(SeqCst) {
            answer(200, "")
        } else {
            answer(403, MFA)
        }
    })
}

async fn ask(client: &Service, request: Request<Body>) -> (u16, Option<GaveUp>) {
    let response = client.clone().oneshot(request).await.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    let reason = outcome.and_then(GareOutcome::gave_up).cloned();
    (response.status().as_u16(), reason)
}

#[checks::test(start_paused = true)]
async fn backoff_ends_after_thirty_seconds() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    assert_eq!(ask(&client, get("/")).await.0, 403);
    advance(seconds(30) - MILLISECOND).await;
    let (status, reason) = ask(&client, get("/")).await;
    assert_eq!((status, login.logins()), (403, 1));
    let Some(GaveUp::BackingOff {
        retry_after, cause, ..
    }) = reason
    else {
        panic!("{reason:?}");
    };
    assert_eq!(retry_after, MILLISECOND);
    assert!(cause.is_some_and(|error| error.is_declined()));
    advance(MILLISECOND).await;
    assert_eq!((ask(&client, get("/")).await.0, login.logins()), (200, 2));
}

#[checks::test(start_paused = true)]
async fn useless_login_is_not_repeated_for_thirty_seconds() {
    let login = Login::at_once();
    let wanted = Arc::new(AtomicUsize::new(usize::MAX));
    let client = wanting(&Session::new(login.clone()), &wanted);
    for (wait, logins, expected) in [
        (Duration::ZERO, 1, "no_progress"),
        (seconds(30) - MILLISECOND, 1, "backing_off"),
        (MILLISECOND, 2, "no_progress"),
        // After the next useless login the wait is twice as long.
        (seconds(60) - MILLISECOND, 2, "backing_off"),
        (MILLISECOND, 3, "no_progress"),
    ] {
        advance(wait).await;
        let (status, reason) = ask(&client, get("/")).await;
        assert_eq!((status, login.logins()), (403, logins));
        assert_eq!(reason.as_ref().map(GaveUp::name), Some(expected));
        if let Some(GaveUp::BackingOff {
            retry_after, cause, ..
        }) = reason
        {
            assert_eq!(retry_after, MILLISECOND);
            assert!(cause.is_none(), "{cause:?}");
        }
    }
}

#[checks::test(start_paused = true)]
async fn login_times_out_after_exactly_fifteen_minutes() {
    let login = Login::held();
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    let began = Instant::now();
    let (status, reason) = ask(&client, get("/")).await;
    assert_eq!(began.elapsed(), seconds(15 * 60));
    assert!(matches!(reason, Some(GaveUp::Failed(error)) if error.is_timeout()));
    assert_eq!((status, login.logins()), (403, 1));
    assert_eq!(client.session().stats().failed_logins, 1);
}

#[checks::test(start_paused = true)]
async fn login_may_take_just_under_fifteen_minutes() {
    let almost = seconds(15 * 60) - MILLISECOND;
    let session = Session::new(reauth_fn(move |_| async move {
        tokio::time::sleep(almost).await;
        Ok(Credential::bearer("token-1")?)
    }));
    let client = wanting(&session, &Arc::new(1.into()));
    let began = Instant::now();
    assert_eq!(ask(&client, get("/")).await.0, 200);
    assert_eq!(began.elapsed(), almost);
}

#[checks::test(start_paused = true)]
async fn request_waits_for_max_wait_and_its_login_continues() {
    let login = Login::held();
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    let began = Instant::now();
    let hurried = with(get("/"), GareOptions::new().max_wait(seconds(5)));
    let (status, reason) = ask(&client, hurried).await;
    assert_eq!((status, began.elapsed()), (403, seconds(5)));
    assert!(matches!(reason, Some(GaveUp::MaxWait)));
    login.let_go();
    let answer = ask(&client, get("/")).await;
    assert_eq!((answer.0, login.logins()), (200, 1));
}

#[checks::test(start_paused = true)]
async fn max_wait_covers_all_logins_of_a_request() {
    let session = Session::new(reauth_fn(|challenge| async move {
        tokio::time::sleep(seconds(4)).await;
        Ok(Credential::bearer(format!("step-{}", challenge.attempt()))?)
    }));
    let client = behind(&GareLayer::from_session(session), |request| {
        let consented = authorization(&request) == "Bearer step-1";
        answer(
            403,
            if consented {
                MFA
            } else {
                checks::mock::CONSENT
            },
        )
    });
    let began = Instant::now();
    let hurried = with(get("/"), GareOptions::new().max_wait(seconds(5)));
    let (_, reason) = ask(&client, hurried).await;
    assert!(matches!(reason, Some(GaveUp::MaxWait)));
    assert_eq!(began.elapsed(), seconds(5));
}

/// The service takes longer than `max_wait`, the logins do not.
#[checks::test(start_paused = true)]
async fn max_wait_does_not_count_the_time_of_the_service() {
    let session = Session::new(reauth_fn(|challenge| async move {
        tokio::time::sleep(seconds(2)).await;
        Ok(Credential::bearer(format!("step-{}", challenge.attempt()))?)
    }));
    let slow = service_fn(|request: Request<Body>| async move {
        tokio::time::sleep(seconds(6)).await;
        Ok::<_, Infallible>(match authorization(&request) {
            "Bearer step-1" => answer(403, MFA),
            "Bearer step-2" => answer(200, ""),
            _ => answer(403, checks::mock::CONSENT),
        })
    });
    let client = GareLayer::from_session(session).layer(slow);
    let began = Instant::now();
    let request = with(get("/"), GareOptions::new().max_wait(seconds(5)));
    let response = client.oneshot(request).await.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    assert_eq!(response.status(), 200, "{outcome:?}");
    // Three requests and two logins.
    assert_eq!(began.elapsed(), seconds(3 * 6 + 2 * 2));
}

/// The refresh begins before the credential ends, and no request waits for it.
#[checks::test(start_paused = true)]
async fn credential_is_refreshed_a_window_before_it_expires() {
    // The window is at most half the lifetime. Without one, only an expired credential is
    // refreshed.
    for (lifetime, window, leeway) in [(3600, 60, 60), (3600, 0, 0), (90, 60, 45)] {
        let first = Credential::bearer("token-1").expect("a token");
        let first = first.with_lifetime(seconds(lifetime));
        let login = Login::at_once().then(Ok(first));
        let session = Session::builder(login.clone())
            .refresh_window(seconds(window))
            .build();
        let sent = Arc::default();
        let client = keeping(&session, &sent, |_, token| match token {
            "" => answer(403, MFA),
            _ => answer(200, ""),
        });
        let ask = async || {
            assert_eq!(ask(&client, get("/")).await.0, 200);
            settle().await;
            sent.lock().expect("whole").pop().expect("a request")
        };
        assert_eq!(ask().await, "/ Bearer token-1");
        login.store("token-2");
        let asked = login.look_ups();
        advance(seconds(lifetime - leeway) - MILLISECOND).await;
        assert_eq!(ask().await, "/ Bearer token-1");
        let what = format!("{lifetime} less {leeway}");
        assert_eq!(login.look_ups(), asked, "{what}: too soon");
        advance(MILLISECOND).await;
        let expected = if leeway == 0 { 2 } else { 1 };
        assert_eq!(ask().await, format!("/ Bearer token-{expected}"), "{what}");
        assert_eq!(login.look_ups(), asked + 1, "{what}");
        assert_eq!(ask().await, "/ Bearer token-2", "{what}");
        assert_eq!((login.look_ups(), login.logins()), (asked + 1, 1), "{what}");
    }
}

/// A request that presents its user's token.
fn of(token: &str) -> Request<Body> {
    presenting(get("/"), &format!("Bearer {token}"))
}

#[checks::test(start_paused = true)]
async fn idle_account_is_dropped_after_a_day() {
    let day = seconds(24 * 60 * 60);
    for (idle, remembered) in [(day - MILLISECOND, true), (day, false)] {
        let login = Login::at_once();
        let session = Session::new(login.clone());
        let client = wanting(&session, &Arc::new(1.into()));
        assert_eq!(ask(&client, of("ada")).await.0, 200);
        assert_eq!(session.stats().principals, 1);
        advance(idle).await;
        // The end of another request drops the idle accounts.
        assert_eq!(ask(&client, of("bob")).await.0, 200);
        let all = if remembered { 2 } else { 1 };
        assert_eq!(session.stats().principals, all);
        assert_eq!(ask(&client, of("ada")).await.0, 200);
        let logins = if remembered { 2 } else { 3 };
        assert_eq!(login.logins(), logins, "idle for {idle:?}");
    }
}

#[checks::test(start_paused = true)]
async fn account_is_idle_from_its_last_request() {
    let half = seconds(12 * 60 * 60);
    let session = Session::new(Login::at_once());
    let client = wanting(&session, &Arc::new(1.into()));
    assert_eq!(ask(&client, of("ada")).await.0, 200);
    advance(half).await;
    assert_eq!(ask(&client, of("ada")).await.0, 200);
    advance(half).await;
    assert_eq!(ask(&client, of("bob")).await.0, 200);
    assert_eq!(session.stats().principals, 2);
}

/// Finds no credential. Records for each look-up whether it may refresh.
#[derive(Default)]
struct Nothing {
    is_broken: bool,
    may_refresh: Mutex<Vec<bool>>,
}

#[async_trait]
impl Reauthenticator for Nothing {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Err(ReauthError::declined())
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let mut noted = self.may_refresh.lock().expect("whole");
        noted.push(request.may_refresh());
        if self.is_broken {
            return Err(ReauthError::new("the file is locked"));
        }
        Ok(None)
    }
}

/// Each request looks again for a missing credential. Refreshes back off.
#[checks::test(start_paused = true)]
async fn failed_look_up_is_repeated_and_its_refresh_backs_off() {
    for is_broken in [false, true] {
        let nothing = Arc::new(Nothing {
            is_broken,
            ..Nothing::default()
        });
        let client = wanting(&Session::new(Arc::clone(&nothing)), &Arc::new(0.into()));
        let looked_up = async |request| {
            assert_eq!(ask(&client, request).await.0, 200);
            std::mem::take(&mut *nothing.may_refresh.lock().expect("whole"))
        };
        let groups = || {
            let uri = "https://groups.api.globus.org/";
            Request::get(uri).body(Body::default()).expect("a request")
        };
        for length in [1, 2, 4, 8, 16, 30, 30].map(seconds) {
            assert_eq!(looked_up(get("/")).await, [true], "{length:?}");
            // Each service has a backoff of its own.
            assert_eq!(looked_up(groups()).await, [true], "{length:?}");
            // A look-up that finds nothing is no failed refresh.
            let may_refresh = [!is_broken];
            assert_eq!(looked_up(get("/")).await, may_refresh, "{length:?}");
            advance(length - MILLISECOND).await;
            assert_eq!(looked_up(get("/")).await, may_refresh, "{length:?}");
            advance(MILLISECOND).await;
        }
    }
}

#[checks::test(start_paused = true)]
async fn backoff_may_exceed_the_clock() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let session = Session::builder(login.clone())
        .backoff(Duration::MAX, Duration::MAX)
        .build();
    let client = wanting(&session, &Arc::new(1.into()));
    for wait in [Duration::ZERO, seconds(20 * 365 * 24 * 60 * 60)] {
        advance(wait).await;
        assert_eq!((ask(&client, get("/")).await.0, login.logins()), (403, 1));
    }
}

#[checks::test(start_paused = true)]
async fn slow_challenge_is_passed_on_after_ten_seconds() {
    let login = Login::at_once();
    let layer = GareLayer::new(login.clone());
    let service = tower::service_fn(|_: Request<Body>| async {
        let stuck = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>,
        >());
        Response::builder().status(403).body(stuck)
    });
    let began = Instant::now();
    let response = layer.layer(service).oneshot(get("/")).await;
    assert_eq!(response.expect("an answer").status(), 403);
    assert_eq!((began.elapsed(), login.logins()), (seconds(10), 0));
}

/// The old credential is accepted meanwhile.
#[checks::test(start_paused = true)]
async fn background_refresh_that_fails_backs_off() {
    let first = Credential::bearer("token-1").expect("a token");
    let login = Login::at_once().then(Ok(first.with_lifetime(seconds(3600))));
    let session = Session::new(login.clone());
    let client = wanting(&session, &Arc::new(1.into()));
    let mut looked_up = Vec::new();
    for wait in [0, 3400, 0, 0, 0] {
        advance(seconds(wait)).await;
        assert_eq!(ask(&client, get("/")).await.0, 200);
        settle().await;
        looked_up.push(login.look_ups());
    }
    assert_eq!(looked_up, [2, 3, 3, 3, 3]);
}
