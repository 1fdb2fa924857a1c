//! Requests that wait for a login that does not cover their requirement.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, ReauthError, Session};
use http::Request;
use tokio::sync::Semaphore;

use checks::mock::{
    Body, CONSENT, Login, MFA, OTHER_POLICY, POLICY, Service, answer, authorization, behind, gated,
    get, is_declined, outcome, presenting, responses, settle, spawn, spawn_in_turn,
};

fn old(path: &str) -> Request<Body> {
    presenting(get(path), "Bearer old")
}

/// `/` accepts the first token, and other paths the second. Records the requests in `sent`.
fn service(session: &Session, sent: &Arc<Mutex<Vec<String>>>) -> Service {
    let sent = Arc::clone(sent);
    behind(&GareLayer::from_session(session.clone()), move |request| {
        let (path, token) = (request.uri().path(), authorization(&request));
        sent.lock().expect("whole").push(format!("{path} {token}"));
        match (path, token) {
            ("/", "Bearer token-1") | (_, "Bearer token-2") => answer(200, ""),
            ("/", _) => answer(403, MFA),
            ("/q", _) => answer(403, OTHER_POLICY),
            _ => answer(403, POLICY),
        }
    })
}

#[checks::test]
async fn waiters_replay_first_and_then_share_the_next_login() {
    let login = Login::held();
    // A login that a request only waits for does not count as one of its logins.
    let session = Session::builder(login.clone()).max_logins(1).build();
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let client = service(&session, &sent);
    let all = ["/", "/p", "/q", "/p"].map(old);
    let all = spawn_in_turn(&client, all).await;
    assert_eq!(login.logins(), 1);
    login.let_go();
    settle().await;
    assert_eq!(login.logins(), 2);
    login.let_go();
    for response in responses(all).await {
        assert_eq!(response.status(), 200);
        assert_eq!(outcome(&response).logins(), 1);
    }
    let challenges = login.challenges();
    let policies = |at: usize| {
        let asked = &challenges[at].gare().authorization_parameters;
        let mut policies = asked.session_required_policies.clone();
        policies.sort();
        policies
    };
    assert_eq!(
        (policies(0), policies(1)),
        (vec![], vec!["p".into(), "q".into()])
    );
    let sent = sent.lock().expect("whole");
    let replayed = |line: &str| sent.iter().filter(|sent| *sent == line).count();
    assert_eq!(replayed("/p Bearer token-1"), 2, "after the other's login");
    assert_eq!(replayed("/q Bearer token-1"), 1, "after the other's login");
}

#[checks::test]
async fn failed_login_fails_all_waiters() {
    // The waiters fail with the login. After that, the backoff prevents another one.
    for (backoff, other, logins) in [(0, None, 2), (30, Some("backing_off"), 1)] {
        let login = Login::held().then(Err(ReauthError::declined()));
        let backoff = Duration::from_secs(backoff);
        let session = Session::builder(login.clone())
            .backoff(backoff, backoff)
            .build();
        let client = service(&session, &Arc::default());
        let all = ["/", "/", "/p"].map(old);
        let all = spawn_in_turn(&client, all).await;
        assert_eq!((login.logins(), session.stats().joins), (1, 1));
        login.let_go();
        login.let_go();
        let all = responses(all).await;
        for response in &all[..2] {
            let reason = outcome(response).gave_up();
            let declined = matches!(reason, Some(GaveUp::Failed(error)) if error.is_declined());
            assert!(declined, "{reason:?}");
        }
        // The request with another requirement starts over.
        let reason = outcome(&all[2]).gave_up();
        assert_eq!(reason.map(GaveUp::name), other);
        assert_eq!(is_declined(&all[2]), other.is_some(), "{reason:?}");
        assert_eq!(login.logins(), logins);
    }
}

#[checks::test(start_paused = true)]
async fn exhausted_request_waits_for_no_other_login() {
    let login = Login::held();
    let session = Session::builder(login.clone()).max_logins(1).build();
    let slow = Arc::new(Semaphore::new(0));
    let is_slow = |path: &str, token: &str| path == "/" && token == "Bearer token-1";
    let layer = GareLayer::from_session(session);
    let client = gated(&layer, &slow, is_slow, |request| {
        match (request.uri().path(), authorization(&request)) {
            (_, "Bearer token-2") => answer(200, ""),
            ("/", "Bearer old") => answer(403, MFA),
            _ => answer(403, CONSENT),
        }
    });
    let first = spawn(&client, old("/"));
    settle().await;
    login.let_go();
    settle().await;
    // During its replay, another request leads the login that it needs next.
    let other = spawn(&client, old("/consent"));
    settle().await;
    assert_eq!(login.logins(), 2);
    slow.add_permits(1);
    let first = first.await.expect("no panic");
    let outcome = outcome(&first);
    assert!(matches!(outcome.gave_up(), Some(GaveUp::Exhausted)));
    assert_eq!((first.status().as_u16(), outcome.logins()), (403, 1));
    login.let_go();
    assert_eq!(other.await.expect("no panic").status(), 200);
}

#[checks::test]
async fn request_that_waits_again_shares_its_new_requirement() {
    let login = Login::held();
    let slow = Arc::new(Semaphore::new(0));
    let is_slow = |path: &str, token: &str| path == "/twice" && token != "Bearer old";
    let client = gated(&login.layer(), &slow, is_slow, |request| {
        match (request.uri().path(), authorization(&request)) {
            (_, "Bearer token-3") => answer(200, ""),
            ("/twice", "Bearer old") => answer(403, POLICY),
            ("/twice", _) => answer(403, CONSENT),
            ("/", "Bearer old") => answer(403, MFA),
            ("/q", "Bearer token-1") | ("/last", _) => answer(403, OTHER_POLICY),
            _ => answer(200, ""),
        }
    });
    let mut all = spawn_in_turn(&client, ["/", "/twice"].map(old)).await;
    login.let_go();
    settle().await;
    // During its replay, another request leads the next login. It waits for that one too.
    all.push(spawn(&client, old("/q")));
    settle().await;
    assert_eq!(login.logins(), 2);
    slow.add_permits(1);
    settle().await;
    login.let_go();
    settle().await;
    all.push(spawn(&client, old("/last")));
    settle().await;
    let challenges = login.challenges();
    assert_eq!(challenges.len(), 3);
    let asked = &challenges[2].gare().authorization_parameters;
    assert_eq!(asked.required_scopes, ["s"]);
    assert_eq!(asked.session_required_policies, ["q"]);
    login.let_go();
    slow.add_permits(2);
    for response in responses(all).await {
        assert_eq!(response.status(), 200);
    }
}
