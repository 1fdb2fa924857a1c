//! A stack of tower layers: the place of `GareLayer` in it.

mod stand_in;

use std::error::Error;
use std::future::{Ready, ready};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::{GareLayer, GareOutcome, Session};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::retry::Policy;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let globus = stand_in::StandIn::start().await?;

    let client = ServiceBuilder::new()
        // Once for the whole request: a place in the queue, a span.
        .buffer(32)
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]))
        .layer(TraceLayer::new_for_http())
        // Outside: a retry inside would repeat a 502 that carries a GARE.
        .retry(Once)
        .layer(GareLayer::from_session(
            Session::builder(globus.login())
                .trust(globus.trust())
                .build(),
        ))
        // Inside: the layer then knows the URL of the response.
        .layer(FollowRedirectLayer::new())
        // Inside, for each attempt: a request that waits for a login holds no permit.
        .concurrency_limit(8)
        .timeout(Duration::from_secs(30))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    // A type that can be named, for example in a struct.
    let mut client = BoxCloneSyncService::new(client);

    let request = Request::get(&globus.url)
        .header(AUTHORIZATION, format!("Bearer {}", globus.stale))
        .body(Full::default())?;
    let response = client.ready().await?.call(request).await?;
    let body = response.into_body().collect().await;
    stand_in::print_names(&body.map_err(|error| error.to_string())?.to_bytes())
}

/// Retries once after a 502.
#[derive(Clone)]
struct Once;

impl<B, E> Policy<Request<Full<Bytes>>, Response<B>, E> for Once {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        request: &mut Request<Full<Bytes>>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Ready<()>> {
        /// Marks a request that was retried.
        #[derive(Clone)]
        struct Tried;
        let transient = result.as_ref().is_ok_and(|response| {
            response.status() == StatusCode::BAD_GATEWAY
                // If the layer gave up, a retry does not help.
                && response.extensions().get().and_then(GareOutcome::gave_up).is_none()
        });
        (transient && request.extensions_mut().insert(Tried).is_none()).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}
