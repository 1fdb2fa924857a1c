//! Timeouts and concurrency limits around a login.

use std::time::Duration;

use globus_gare::reauth::GareOptions;
use tokio_test::{assert_pending, assert_ready, task};
use tower::timeout::error::Elapsed;
use tower::{ServiceBuilder, ServiceExt};

use super::service::{Globus, get};
use checks::mock::{Login, with};

const A_WHILE: Duration = Duration::from_secs(30);

#[checks::test(start_paused = true)]
async fn timeout_inside_applies_to_each_attempt() {
    let login = Login::held();
    let client = ServiceBuilder::new()
        .layer(login.layer())
        .timeout(A_WHILE)
        .service(Globus::default().service());
    let request = tokio::spawn(client.oneshot(get()));
    tokio::time::sleep(10 * A_WHILE).await;
    assert!(!request.is_finished(), "somebody is at the login page");
    login.let_go();
    let response = request.await.expect("no panic").expect("a response");
    assert_eq!(response.status(), 200);
}

#[checks::test(start_paused = true)]
async fn timeout_outside_ends_before_the_login() {
    let login = Login::held();
    let layer = login.layer();
    let globus = Globus::default();
    let client = ServiceBuilder::new()
        .timeout(A_WHILE)
        .layer(layer.clone())
        .service(globus.service());
    let error = client.clone().oneshot(get()).await.expect_err("an error");
    assert!(error.is::<Elapsed>(), "the symptom");
    // The login continues, and the next request uses it.
    login.let_go();
    let response = client.oneshot(get()).await.expect("a response");
    assert_eq!(response.status(), 200);
    assert_eq!(layer.session().stats().logins, 1);
}

#[checks::test]
async fn concurrency_limit_inside_is_free_during_a_login() {
    let login = Login::held();
    let client = ServiceBuilder::new()
        .layer(login.layer())
        .concurrency_limit(1)
        .service(Globus::default().service());
    let mut challenged = task::spawn(client.clone().oneshot(get()));
    for _ in 0..4 {
        assert_pending!(challenged.poll());
        tokio::task::yield_now().await;
    }
    let other = with(get(), GareOptions::new().bypass());
    let response = client.oneshot(other).await.expect("a response");
    assert_eq!(response.status(), 502, "answered, while somebody logs in");
    login.let_go();
    assert_eq!(challenged.await.expect("a response").status(), 200);
}

#[checks::test]
async fn concurrency_limit_outside_is_held_during_a_login() {
    let login = Login::held();
    let client = ServiceBuilder::new()
        .concurrency_limit(1)
        .layer(login.layer())
        .service(Globus::default().service());
    let mut challenged = task::spawn(client.clone().oneshot(get()));
    let other = with(get(), GareOptions::new().bypass());
    let mut other = task::spawn(client.oneshot(other));
    for _ in 0..10 {
        assert_pending!(challenged.poll());
        assert_pending!(other.poll(), "the symptom");
        tokio::task::yield_now().await;
    }
    login.let_go();
    for _ in 0..10 {
        tokio::task::yield_now().await;
        if challenged.is_woken() && challenged.poll().is_ready() {
            break;
        }
    }
    drop(challenged);
    tokio::task::yield_now().await;
    assert_pending!(other.poll());
    tokio::task::yield_now().await;
    assert_ready!(other.poll()).expect("a response");
}
