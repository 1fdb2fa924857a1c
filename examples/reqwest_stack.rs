//! reqwest with middleware: retries, tracing, and ours between them.

mod stand_in;

use std::error::Error;

use globus_gare::reauth::GareOutcome;
use globus_gare::reqwest::GareMiddleware;
use reqwest_middleware::ClientBuilder;
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{
    DefaultRetryableStrategy, RetryTransientMiddleware, Retryable, RetryableStrategy,
};
use reqwest_tracing::TracingMiddleware;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let globus = stand_in::StandIn::start().await?;

    let backoff = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = ClientBuilder::new(reqwest::Client::builder().no_proxy().build()?)
        // Outside of ours: to a retry, a 502 that asks for a login is a bad gateway.
        .with(RetryTransientMiddleware::new_with_policy_and_strategy(
            backoff,
            NotForLogins,
        ))
        .with(GareMiddleware::new(globus.login()).trust(globus.trust()))
        // Inside of ours: a span for each attempt.
        .with(TracingMiddleware::default())
        .build();

    let response = client
        .get(&globus.url)
        .bearer_auth(&globus.stale)
        .send()
        .await?;
    stand_in::print_names(&response.error_for_status()?.bytes().await?)
}

/// As by default, but a login that was declined is not mended by asking again.
struct NotForLogins;

impl RetryableStrategy for NotForLogins {
    fn handle(
        &self,
        result: &Result<reqwest::Response, reqwest_middleware::Error>,
    ) -> Option<Retryable> {
        let outcome = result
            .as_ref()
            .ok()
            .and_then(|response| response.extensions().get::<GareOutcome>());
        match outcome.and_then(GareOutcome::refusal) {
            Some(_) => Some(Retryable::Fatal),
            None => DefaultRetryableStrategy.handle(result),
        }
    }
}
