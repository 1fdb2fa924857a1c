//! reqwest, which follows redirects itself: `HttpService` records the URL of the response.

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reqwest::HttpService;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt};

use super::cases::cases;
use super::origins::{MFA, SECRET, Server, answer, result, session};

/// Sends a request to `url` through the layer, over a reqwest client.
async fn send(session: &globus_gare::reauth::Session, url: &str) -> Response<()> {
    let http = HttpService::from_builder(reqwest::Client::builder().no_proxy());
    let layer = GareLayer::from_session(session.clone());
    let client = layer.layer(http.expect("a client"));
    let request = Request::get(url).body(Full::<Bytes>::default());
    let response = client.oneshot(request.expect("a request")).await;
    response.expect("an answer").map(drop)
}

cases!(send);
