//! Everything that a session does at a certain time, to the millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Credential, GareOptions, GareOutcome, ReauthError, Refusal, Session, reauth_fn,
};
use http::{Request, Response};
use tokio::time::{Instant, advance};
use tower::{Layer, ServiceExt};

use checks::mock::{
    Body, Login, MFA, Service, answer, authorization, behind, get, presenting, token_number, with,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A service that wants a token whose number is at least that of `wanted`.
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

async fn ask(client: &Service, request: Request<Body>) -> (u16, Option<Refusal>) {
    let response = client.clone().oneshot(request).await.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    let refusal = outcome.and_then(GareOutcome::refusal).cloned();
    (response.status().as_u16(), refusal)
}

#[checks::test(start_paused = true)]
async fn backoff_ends_after_thirty_seconds() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    assert_eq!(ask(&client, get("/")).await.0, 403);
    advance(seconds(30) - MILLISECOND).await;
    let (status, refusal) = ask(&client, get("/")).await;
    assert_eq!((status, login.logins()), (403, 1));
    assert!(matches!(refusal, Some(Refusal::Failed(error)) if error.is_declined()));
    advance(MILLISECOND).await;
    assert_eq!((ask(&client, get("/")).await.0, login.logins()), (200, 2));
}

#[checks::test(start_paused = true)]
async fn useless_login_is_not_repeated_for_thirty_seconds() {
    let login = Login::at_once();
    let wanted = Arc::new(AtomicUsize::new(usize::MAX));
    let client = wanting(&Session::new(login.clone()), &wanted);
    for (wait, logins) in [
        (Duration::ZERO, 1),
        (seconds(30) - MILLISECOND, 1),
        (MILLISECOND, 2),
    ] {
        advance(wait).await;
        let (status, refusal) = ask(&client, get("/")).await;
        assert_eq!((status, login.logins()), (403, logins));
        assert!(matches!(refusal, Some(Refusal::NoProgress)), "{refusal:?}");
    }
}

#[checks::test(start_paused = true)]
async fn login_times_out_after_exactly_fifteen_minutes() {
    let login = Login::held();
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    let began = Instant::now();
    let (status, refusal) = ask(&client, get("/")).await;
    assert_eq!(began.elapsed(), seconds(15 * 60));
    assert!(matches!(refusal, Some(Refusal::Failed(error)) if error.is_timeout()));
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
async fn request_waits_until_its_deadline_and_the_login_goes_on() {
    let login = Login::held();
    let client = wanting(&Session::new(login.clone()), &Arc::new(1.into()));
    let began = Instant::now();
    let hurried = with(get("/"), GareOptions::new().deadline(seconds(5)));
    let (status, refusal) = ask(&client, hurried).await;
    assert_eq!((status, began.elapsed()), (403, seconds(5)));
    assert!(matches!(refusal, Some(Refusal::DeadlineElapsed)));
    login.let_go();
    let answer = ask(&client, get("/")).await;
    assert_eq!((answer.0, login.logins()), (200, 1));
}

#[checks::test(start_paused = true)]
async fn deadline_covers_all_logins_of_a_request() {
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
    let hurried = with(get("/"), GareOptions::new().deadline(seconds(5)));
    let (_, refusal) = ask(&client, hurried).await;
    assert!(matches!(refusal, Some(Refusal::DeadlineElapsed)));
    assert_eq!(began.elapsed(), seconds(5));
}

#[checks::test(start_paused = true)]
async fn credential_is_refreshed_a_leeway_before_it_expires() {
    for (lifetime, leeway) in [(3600, 60), (3600, 0), (90, 60)] {
        let first = Credential::bearer("token-1").expect("a token");
        let first = first.with_lifetime(seconds(lifetime));
        let login = Login::at_once().then(Ok(first));
        let session = Session::builder(login.clone())
            .expiry_leeway(seconds(leeway))
            .build();
        let client = wanting(&session, &Arc::new(1.into()));
        assert_eq!(ask(&client, get("/")).await.0, 200);
        login.store("token-2");
        let asked = login.renewals();
        advance(seconds(lifetime - leeway) - MILLISECOND).await;
        assert_eq!(ask(&client, get("/")).await.0, 200);
        assert_eq!(
            login.renewals(),
            asked,
            "{lifetime} less {leeway}: too soon"
        );
        advance(MILLISECOND).await;
        assert_eq!(ask(&client, get("/")).await.0, 200);
        assert_eq!(login.renewals(), asked + 1, "{lifetime} less {leeway}");
        assert_eq!(login.logins(), 1);
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
        assert_eq!(session.stats().identities, 1);
        advance(idle).await;
        // Another one comes: then it is looked who has gone.
        assert_eq!(ask(&client, of("bob")).await.0, 200);
        let all = if remembered { 2 } else { 1 };
        assert_eq!(session.stats().identities, all);
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
    assert_eq!(session.stats().identities, 2);
}

#[checks::test(start_paused = true)]
async fn failed_look_up_is_repeated_after_thirty_seconds() {
    let login = Login::at_once();
    let client = wanting(&Session::new(login.clone()), &Arc::new(0.into()));
    let groups = || {
        let uri = "https://groups.api.globus.org/";
        Request::get(uri).body(Body::default()).expect("a request")
    };
    for (wait, renewals) in [
        (Duration::ZERO, 2),
        (seconds(30) - MILLISECOND, 2),
        (MILLISECOND, 4),
    ] {
        advance(wait).await;
        // Each service has its own: what one of them lacks says nothing of the other.
        for request in [get("/"), groups(), get("/")] {
            assert_eq!(ask(&client, request).await.0, 200);
        }
        assert_eq!(login.renewals(), renewals);
    }
}

#[checks::test(start_paused = true)]
async fn backoff_may_exceed_the_clock() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let session = Session::builder(login.clone())
        .cool_down(Duration::MAX)
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
