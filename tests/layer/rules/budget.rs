//! The budget of logins that succeed and do not help.

use std::fmt::Display;
use std::sync::Arc;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, Session};
use http::{Request, Response};
use tokio::sync::Semaphore;
use tokio::time::advance;
use tower::{Layer, ServiceExt, service_fn};

use super::{bearer, gave_up, seconds};
use checks::mock::{
    Body, Login, MFA, Once, answer, authorization, behind, gated, get, outcome, presenting,
    responses, send, settle, spawn, spawn_in_turn, token_number,
};

fn policy(name: impl Display) -> String {
    format!(
        r#"{{"code":"c","authorization_parameters":{{"session_required_policies":["{name}"]}}}}"#
    )
}

#[checks::test(start_paused = true)]
async fn service_that_always_asks_for_more_gets_ten_logins() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let client = behind(&GareLayer::from_session(session), |request| {
        answer(403, &policy(token_number(&request)))
    });
    for _ in 0..1000 {
        send(&client, get("/")).await;
    }
    assert_eq!(login.logins(), 10);
    let response = send(&client, get("/")).await;
    let Some(GaveUp::Budget { retry_after, .. }) = gave_up(&response) else {
        panic!("{response:?}");
    };
    assert_eq!(*retry_after, seconds(10 * 60));
    advance(*retry_after).await;
    send(&client, get("/")).await;
    assert!(login.logins() > 10);
}

#[checks::test]
async fn consent_policy_and_second_factor_take_one_request() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |request| match token_number(&request) {
        4 => answer(200, ""),
        number => answer(403, &policy(number)),
    });
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(login.logins(), 4);
}

#[checks::test]
async fn stream_logs_in_for_later_streams() {
    let login = Login::at_once();
    let service = service_fn(|request: Request<Once>| async move {
        Ok::<_, std::convert::Infallible>(match authorization(&request) {
            "Bearer token-1" => answer(200, ""),
            _ => answer(403, &policy(0)),
        })
    });
    let client = login.layer().layer(service);
    let mut statuses = Vec::new();
    for _ in 0..500 {
        let stream = get("/").map(|_| Once);
        let response = client.clone().oneshot(stream).await.expect("an answer");
        statuses.push(response.status().as_u16());
    }
    assert_eq!((statuses[0], login.logins()), (403, 1));
    assert!(statuses[1..].iter().all(|status| *status == 200));
}

/// A layer with a budget of one login in ten minutes.
fn with_a_budget_of_one(login: Login) -> GareLayer {
    let session = Session::builder(login).login_budget(1, seconds(10 * 60));
    GareLayer::from_session(session.build())
}

/// Each path except `/open` has a policy of its own. The first login satisfies that of `/1`, the
/// second that of `/2`.
fn policies(request: Request<Body>) -> Response<Body> {
    match (request.uri().path(), token_number(&request)) {
        ("/open", _) | ("/1", 1) | ("/2", 2) => answer(200, ""),
        (path, _) => answer(403, &policy(path)),
    }
}

#[checks::test]
async fn login_that_helped_does_not_count() {
    let login = Login::at_once();
    let client = behind(&with_a_budget_of_one(login.clone()), policies);
    for (path, logins) in [("/1", 1), ("/2", 2)] {
        assert_eq!(send(&client, get(path)).await.status(), 200, "{path}");
        assert_eq!(login.logins(), logins, "{path}");
    }
}

#[checks::test]
async fn login_that_helped_only_other_requests_counts() {
    let login = Login::at_once();
    let client = behind(&with_a_budget_of_one(login.clone()), policies);
    let response = send(&client, get("/never")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NoProgress)));
    assert_eq!(send(&client, get("/open")).await.status(), 200);
    let response = send(&client, get("/2")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::Budget { .. })));
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn response_to_an_older_token_clears_no_budget() {
    let login = Login::at_once().stored("old").then(Ok(bearer("of-no-use")));
    let gate = Arc::new(Semaphore::new(0));
    let is_slow = |path: &str, token: &str| (path, token) == ("/never", "Bearer old");
    let client = gated(
        &with_a_budget_of_one(login.clone()),
        &gate,
        is_slow,
        |request| match request.uri().query() {
            Some("late") => answer(200, ""),
            _ => policies(request),
        },
    );
    let challenged = spawn(&client, get("/never"));
    settle().await;
    let late = spawn(&client, get("/never?late"));
    settle().await;
    gate.add_permits(1);
    let response = challenged.await.expect("no panic");
    assert!(matches!(gave_up(&response), Some(GaveUp::NoProgress)));
    gate.add_permits(1);
    assert_eq!(late.await.expect("no panic").status(), 200);
    let response = send(&client, get("/2")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::Budget { .. })));
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn login_before_an_error_response_counts() {
    for status in [400, 404, 500] {
        let login = Login::at_once();
        let layer = with_a_budget_of_one(login.clone());
        let client = behind(&layer, move |request| {
            match (request.uri().path(), token_number(&request)) {
                ("/lost", 1) => answer(status, ""),
                _ => policies(request),
            }
        });
        // The replay, and a request that is sent with the new token at once.
        for _ in 0..2 {
            assert_eq!(send(&client, get("/lost")).await.status(), status);
            let response = send(&client, get("/2")).await;
            assert!(matches!(gave_up(&response), Some(GaveUp::Budget { .. })));
        }
        assert_eq!(login.logins(), 1, "{status}");
    }
}

#[checks::test]
async fn unverified_credential_does_not_count_as_a_login() {
    let elsewhere = bearer("written-elsewhere").unverified();
    let login = Login::at_once().then(Ok(elsewhere));
    let session = Session::builder(login.clone())
        .login_budget(1, seconds(10 * 60))
        .max_logins(1);
    let client = behind(
        &GareLayer::from_session(session.build()),
        |request| match token_number(&request) {
            2 => answer(200, ""),
            _ => answer(403, &policy("p")),
        },
    );
    let response = send(&client, get("/")).await;
    assert_eq!(response.status(), 200);
    let outcome = outcome(&response);
    assert_eq!((outcome.logins(), outcome.replays()), (1, 2));
}

#[checks::test]
async fn login_that_helped_a_joined_request_does_not_count() {
    let login = Login::held();
    let client = behind(
        &with_a_budget_of_one(login.clone()),
        |request| match request.uri().path() {
            "/mfa/never" => answer(403, MFA),
            "/mfa" if token_number(&request) == 0 => answer(403, MFA),
            "/mfa" => answer(200, ""),
            _ => policies(request),
        },
    );
    let waiting = ["/mfa/never", "/mfa"].map(|path| presenting(get(path), "Bearer old"));
    let waiting = spawn_in_turn(&client, waiting).await;
    login.let_go();
    for (response, status) in responses(waiting).await.iter().zip([403, 200]) {
        assert_eq!(response.status(), status);
    }
    login.let_go();
    let request = presenting(get("/2"), "Bearer old");
    assert_eq!(send(&client, request).await.status(), 200);
    assert_eq!(login.logins(), 2);
}
