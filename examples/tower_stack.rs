//! A stack of tower layers, and where in it ours belongs.

mod stand_in;

use std::error::Error;
use std::future::{Ready, ready};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::{GareLayer, Session};
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
        // For the whole request: one span, one place in the queue.
        .buffer(32)
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]))
        .layer(TraceLayer::new_for_http())
        // Outside of ours: to a retry, a 502 that asks for a login is a bad gateway.
        .retry(Once)
        .layer(GareLayer::from_session(
            Session::builder(globus.login())
                .trust(globus.trust())
                .build(),
        ))
        // Inside of ours: so that redirects are known.
        .layer(FollowRedirectLayer::new())
        // Inside of ours: a login takes as long as a person does, and holds up nobody else.
        .concurrency_limit(8)
        .timeout(Duration::from_secs(30))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    // A type that can be written down, to keep it in a struct.
    let mut client = BoxCloneSyncService::new(client);

    let request = Request::get(&globus.url)
        .header(AUTHORIZATION, format!("Bearer {}", globus.stale))
        .body(Full::default())?;
    let response = client.ready().await?.call(request).await?;
    let body = response.into_body().collect().await;
    stand_in::print_names(&body.map_err(|error| error.to_string())?.to_bytes())
}

/// Tries once more where a gateway is in trouble.
#[derive(Clone)]
struct Once;

impl<B, E> Policy<Request<Full<Bytes>>, Response<B>, E> for Once {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        request: &mut Request<Full<Bytes>>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Ready<()>> {
        /// Marks a request that was tried twice.
        #[derive(Clone)]
        struct Tried;
        let transient = result.as_ref().is_ok_and(|response| {
            response.status() == StatusCode::BAD_GATEWAY
                // What nobody logged in for is not mended by asking again.
                && response.extensions().get::<globus_gare::reauth::GareOutcome>().is_none()
        });
        (transient && request.extensions_mut().insert(Tried).is_none()).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}
