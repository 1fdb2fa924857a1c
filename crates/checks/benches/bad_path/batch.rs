//! Batches of concurrent requests.

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tower::{Service, ServiceExt};

use super::clients::{Body, Hyper};
use super::places::{Place, Server};

/// Sends the prepared requests, and reads the responses.
pub type Batch = Box<dyn FnOnce()>;

/// Prepares `count` requests, each for its own task, over HTTP/2: all share a connection.
pub fn prepare<S, E, B>(
    server: &Server,
    count: usize,
    wrap: impl FnOnce(&Place, Hyper) -> S,
) -> Batch
where
    S: Service<http::Request<Body>, Response = Response<B>, Error = E, Future: Send>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Send> + Send + 'static,
    E: std::fmt::Debug + Send + 'static,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (client, place) = runtime.block_on(async {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Legacy::builder(TokioExecutor::new())
            .http2_only(true)
            .build(connector);
        let place = server.place().await;
        let first: Response<_> = client.request(place.request()).await.expect("a response");
        assert!(!first.status().is_success(), "{}", first.status());
        let _ = first.into_body().collect().await;
        (client, place)
    });
    let service = wrap(&place, client);
    let requests: Vec<_> = (0..count).map(|_| place.request()).collect();
    Box::new(move || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for request in requests {
                let service = service.clone();
                tasks.spawn(async move {
                    let answer = service.oneshot(request).await.expect("a response");
                    let (head, body) = answer.into_parts();
                    let _ = std::pin::pin!(body).collect().await;
                    head.status
                });
            }
            while let Some(status) = tasks.join_next().await {
                assert_eq!(status.expect("no panic"), 200);
            }
        });
    })
}
