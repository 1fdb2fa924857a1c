//! Compressed challenges are followed if a layer inside decompresses them.

use bytes::Bytes;
use globus_gare::reauth::GareOutcome;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientBuilder;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;

use super::clients::Login;
use super::service::{GARE, Service as Globus};
use crate::support::server::BoxError;

async fn get<S, B>(service: S, url: String, encoding: &str) -> (u16, bool, Bytes)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let request = Request::get(url)
        .header("accept-encoding", encoding)
        .body(Full::default())
        .expect("a request");
    let response = service.oneshot(request).await.expect("a response");
    let has_outcome = response.extensions().get::<GareOutcome>().is_some();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body");
    (status, has_outcome, body.to_bytes())
}

#[checks::test]
async fn only_a_decoder_inside_the_layer_makes_a_body_readable() {
    for encoding in ["gzip", "br", "zstd"] {
        let server = Globus::default().start().await;
        let url = || server.url(&format!("/get/{encoding}"));
        let login = Login::new();
        let gare = login.layer();
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();

        let outside = ServiceBuilder::new()
            .layer(DecompressionLayer::new())
            .layer(gare.clone())
            .service(client.clone());
        let (status, has_outcome, body) = get(outside, url(), encoding).await;
        assert_eq!(
            (status, has_outcome),
            (403, false),
            "{encoding}: not detected"
        );
        assert_eq!(body, GARE, "the caller gets plain text");
        assert_eq!(login.logins(), 0);

        let inside = ServiceBuilder::new()
            .layer(gare)
            .layer(DecompressionLayer::new())
            .service(client);
        let (status, has_outcome, body) = get(inside, url(), encoding).await;
        assert_eq!((status, has_outcome), (200, true), "{encoding}");
        assert!(body.starts_with(b"{\"DATA_TYPE\": \"file_list\""));
        assert_eq!(login.logins(), 1);
    }
}

#[checks::test]
async fn reqwest_decompresses_before_the_middleware_looks() -> Result<(), BoxError> {
    let server = Globus::default().start().await;
    let login = Login::new();
    let client = reqwest::Client::builder().no_proxy().gzip(true).build()?;
    let client = ClientBuilder::new(client).with(login.middleware()).build();
    let response = client.get(server.url("/get/gzip")).send().await?;
    assert_eq!(response.status(), 200);
    assert!(response.text().await?.contains("file_list"));
    assert_eq!(login.logins(), 1);
    Ok(())
}
