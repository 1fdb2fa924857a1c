//! With reqwest-retry: a 502 with a requirement is not transient.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use globus_gare::reauth::{GareOutcome, Session};
use globus_gare::reqwest::GareMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{
    DefaultRetryableStrategy, RetryTransientMiddleware, Retryable, RetryableStrategy,
};

use super::service::{declining, gave_up, guarded, plain, session};
use crate::support::server::BoxError;

fn policy() -> ExponentialBackoff {
    let soon = Duration::from_millis(1);
    ExponentialBackoff::builder()
        .retry_bounds(soon, soon)
        .build_with_max_retries(3)
}

/// Does not retry what the middleware gave up on: a retry cannot log in.
struct NotForLogins;

impl RetryableStrategy for NotForLogins {
    fn handle(
        &self,
        result: &Result<reqwest::Response, reqwest_middleware::Error>,
    ) -> Option<Retryable> {
        let given_up = |response: &reqwest::Response| {
            let outcome = response.extensions().get::<GareOutcome>();
            outcome.is_some_and(|outcome| outcome.gave_up().is_some())
        };
        match result {
            Ok(response) if given_up(response) => Some(Retryable::Fatal),
            result => DefaultRetryableStrategy.handle(result),
        }
    }
}

fn retry_outside(session: &Session) -> ClientWithMiddleware {
    ClientBuilder::new(plain())
        .with(RetryTransientMiddleware::new_with_policy_and_strategy(
            policy(),
            NotForLogins,
        ))
        .with(GareMiddleware::from_session(session.clone()))
        .build()
}

#[checks::test]
async fn retry_outside_never_sees_the_challenge() -> Result<(), BoxError> {
    let (server, requests) = guarded(502).await;
    let session = session();
    let response = retry_outside(&session).get(server.url("/")).send().await?;
    assert_eq!(response.status(), 200);
    assert_eq!(requests.load(SeqCst), 2, "the challenge and the replay");
    assert_eq!(session.stats().logins, 1);
    Ok(())
}

#[checks::test]
async fn retry_outside_repeats_other_errors() -> Result<(), BoxError> {
    let (server, requests) = guarded(503).await;
    let response = retry_outside(&session())
        .get(server.url("/"))
        .send()
        .await?;
    assert_eq!(response.status(), 503);
    assert_eq!(requests.load(SeqCst), 4);
    Ok(())
}

#[checks::test]
async fn retry_inside_repeats_the_challenge_first() -> Result<(), BoxError> {
    let (server, requests) = guarded(502).await;
    let client = ClientBuilder::new(plain())
        .with(GareMiddleware::from_session(session()))
        .with(RetryTransientMiddleware::new_with_policy(policy()))
        .build();
    let response = client.get(server.url("/")).send().await?;
    assert_eq!(response.status(), 200);
    assert_eq!(requests.load(SeqCst), 5, "four attempts before the login");
    Ok(())
}

#[checks::test]
async fn declined_login_is_retried_unless_the_strategy_forbids_it() -> Result<(), BoxError> {
    let (server, requests) = guarded(502).await;
    let session = declining();
    let response = retry_outside(&session).get(server.url("/")).send().await?;
    assert_eq!(gave_up(&response), Some("failed"));
    assert_eq!(requests.swap(0, SeqCst), 1);

    let client = ClientBuilder::new(plain())
        .with(RetryTransientMiddleware::new_with_policy(policy()))
        .with(GareMiddleware::from_session(session.clone()))
        .build();
    let response = client.get(server.url("/")).send().await?;
    assert_eq!(gave_up(&response), Some("backing_off"));
    assert_eq!(requests.load(SeqCst), 4, "three retries");
    assert_eq!(session.stats().logins, 1, "nobody was prompted again");
    Ok(())
}
