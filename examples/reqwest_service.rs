//! reqwest as a tower service, with the layer around it.
//!
//! reqwest follows redirects itself. `HttpService` records the URL of the response, so that a
//! redirect to a stranger cannot start a login.

mod stand_in;

use std::error::Error;

use bytes::Bytes;
use globus_gare::reqwest::HttpService;
use globus_gare::{GareLayer, Session};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let globus = stand_in::StandIn::start().await?;

    let http = HttpService::from_builder(reqwest::Client::builder().no_proxy())?;
    let client = ServiceBuilder::new()
        .layer(GareLayer::from_session(
            Session::builder(globus.login())
                .trust(globus.trust())
                .build(),
        ))
        .service(http);

    let request = Request::get(&globus.url)
        .header("authorization", format!("Bearer {}", globus.stale))
        .body(Full::<Bytes>::default())?;
    let response = client.oneshot(request).await?;
    stand_in::print_names(&response.into_body().collect().await?.to_bytes())
}
