//! As it stands in the README.

use bytes::Bytes;
use globus_gare::{GareLayer, GareOutcome, Reauthenticator, reqwest::HttpService};
use http_body_util::{BodyExt, Full};
use tower::{BoxError, ServiceBuilder, ServiceExt};

pub(crate) async fn get(url: &str, app: impl Reauthenticator) -> Result<Bytes, BoxError> {
    let request = http::Request::get(url).body(Full::<Bytes>::default())?;
    let client = ServiceBuilder::new()
        .layer(GareLayer::new(app)) // a retry goes above it, a timeout below it
        .service(HttpService::new()?); // or another service that takes an `http::Request`
    let response = client.oneshot(request).await?;
    match response.extensions().get().and_then(GareOutcome::gave_up) {
        Some(why) => Err(format!("{}: {why}", response.status()).into()),
        None => Ok(response.into_body().collect().await?.to_bytes()), // a 404 too: check the status
    }
}
