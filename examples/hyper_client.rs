//! The client of hyper-util, with the layer around it.

mod stand_in;

use std::error::Error;

use bytes::Bytes;
use globus_gare::{GareLayer, Session};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let globus = stand_in::StandIn::start().await?;

    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    // The one line:
    let client = GareLayer::from_session(
        Session::builder(globus.login())
            .trust(globus.trust())
            .build(),
    )
    .layer(client);

    let request = Request::get(&globus.url)
        .header("authorization", format!("Bearer {}", globus.stale))
        .body(Full::default())?;
    let response = client.oneshot(request).await?;
    stand_in::print_names(&response.into_body().collect().await?.to_bytes())
}
