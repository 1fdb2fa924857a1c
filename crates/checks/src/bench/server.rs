//! A real server on loopback, in the thread of its clients, so that no thread has to be woken.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

use super::request::CREDENTIAL;

const CHALLENGE: &str = r#"{"code": "AuthorizationRequired", "authorization_parameters": {"session_required_mfa": true}}"#;

/// Serves HTTP/1.1 and HTTP/2, until the runtime ends.
pub async fn start() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a socket");
            tokio::spawn(async move {
                let mut server = Builder::new(TokioExecutor::new());
                server.http2().max_concurrent_streams(1_000);
                let _ = server
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await;
            });
        }
    });
    address
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let known = request
        .headers()
        .get("authorization")
        .is_some_and(|value| value == CREDENTIAL);
    let _ = request.into_body().collect().await;
    let (status, body) = if known { (200, "{}") } else { (403, CHALLENGE) };
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
