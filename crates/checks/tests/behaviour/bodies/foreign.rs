//! The body types of axum and tonic in a `ReplayBody`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use checks::mock::MFA;
use futures_util::stream;
use globus_gare::layer::{GareLayer, ReplayBody};
use globus_gare::reauth::{Credential, GareOutcome, Session, Trust, reauth_fn};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tonic::client::GrpcService;
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};

fn layer() -> GareLayer {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    let session = Session::builder(login).trust(Trust::none().loopback());
    GareLayer::from_session(session.build()).inspect_timeout(Duration::from_secs(600))
}

/// A body of two chunks and trailers.
fn stream() -> impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "1".parse().expect("a value"));
    StreamBody::new(stream::iter([
        Ok(Frame::data(Bytes::from("one "))),
        Ok(Frame::data(Bytes::from("two"))),
        Ok(Frame::trailers(trailers)),
    ]))
}

/// Reads the whole body; challenges a request without the fresh token, and echoes any other.
async fn echo<B>(request: http::Request<B>) -> (StatusCode, Bytes)
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body");
    let checksum = body.trailers().and_then(|all| all.get("x-checksum"));
    assert_eq!(checksum.expect("trailers"), "1");
    match head.headers.get("authorization") {
        Some(token) if token == "Bearer fresh" => (StatusCode::OK, body.to_bytes()),
        _ => (StatusCode::FORBIDDEN, Bytes::from(MFA)),
    }
}

#[checks::test]
async fn axum_body_is_replayed_into_a_router() {
    let router = Router::new().fallback(async |request: Request| -> Response {
        let (status, body) = echo(request).await;
        (status, [("content-type", "application/json")], body).into_response()
    });
    let request = http::Request::put("http://127.0.0.1/task");
    let request = request.body(ReplayBody::new(axum::body::Body::new(stream())));
    let client = layer().layer(router);
    let response = client.oneshot(request.expect("a request")).await;
    let response = response.expect("a response");
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), "one two");
}

/// Calls a service as tonic's generated clients do, with the bounds that they require.
async fn as_tonic_client<S>(
    mut service: S,
    request: http::Request<tonic::body::Body>,
) -> http::Response<S::ResponseBody>
where
    S: GrpcService<tonic::body::Body>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx))
        .await
        .map_err(Into::into)
        .expect("ready");
    let response = service.call(request).await;
    response.map_err(Into::into).expect("a response")
}

#[checks::test]
async fn tonic_body_is_replayed_into_a_channel() {
    // Like a channel, it receives and returns only tonic's body.
    let channel = service_fn(|request: http::Request<tonic::body::Body>| async {
        let (status, body) = echo(request).await;
        let body = tonic::body::Body::new(Full::new(body));
        http::Response::builder().status(status).body(body)
    });
    let client = ServiceBuilder::new()
        .map_request(|request: http::Request<tonic::body::Body>| request.map(ReplayBody::new))
        .layer(layer())
        .map_request(|request: http::Request<ReplayBody<tonic::body::Body>>| {
            request.map(tonic::body::Body::new)
        })
        .service(channel);
    let request = http::Request::post("http://127.0.0.1/service/method");
    let request = request.body(tonic::body::Body::new(stream()));
    let response = as_tonic_client(client, request.expect("a request")).await;
    assert_eq!(response.status(), 200);
    let outcome = response.extensions().get::<GareOutcome>().expect("one");
    assert_eq!((outcome.logins(), outcome.replays()), (1, 1));
    let body = response.into_body().collect().await;
    let body = body.map_err(BoxError::from).expect("a body");
    assert_eq!(body.to_bytes(), "one two");
}
