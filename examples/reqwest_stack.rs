//! reqwest with middleware: the place of `GareMiddleware` in the stack.

mod stand_in;

use std::error::Error;

use globus_gare::Session;
use globus_gare::reqwest::GareMiddleware;
use reqwest_middleware::ClientBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let globus = stand_in::StandIn::start().await?;

    let client = ClientBuilder::new(reqwest::Client::builder().no_proxy().build()?)
        // A retry, such as reqwest-retry, goes here, outside. Inside, it would retry a 502 that
        // carries a GARE.
        .with(GareMiddleware::from_session(
            Session::builder(globus.login())
                .trust(globus.trust())
                .build(),
        ))
        // Tracing, such as reqwest-tracing, goes here, inside: it sees each attempt.
        .build();

    let response = client
        .get(&globus.url)
        .bearer_auth(&globus.stale)
        .send()
        .await?;
    stand_in::print_names(&response.error_for_status()?.bytes().await?)
}
