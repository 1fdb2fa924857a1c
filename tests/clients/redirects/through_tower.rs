//! `FollowRedirect` of tower-http inside the layer.

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::cases::cases;
use super::origins::{MFA, SECRET, Server, answer, result, session};

/// Sends a request to `url` through the layer, with redirects followed inside of it.
async fn send(session: &globus_gare::reauth::Session, url: &str) -> Response<()> {
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let inside = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .service(http);
    let client = GareLayer::from_session(session.clone()).layer(inside);
    let request = Request::get(url).body(Full::default());
    let response = client.oneshot(request.expect("a request")).await;
    response.expect("an answer").map(drop)
}

cases!(send);
