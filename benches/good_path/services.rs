//! The services that are compared: a bare one, and layers over it.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use checks::bench::Case;
use checks::bench::layers::Layer;
use checks::bench::request::{self, Origin};
use checks::bench::retry::Cloning;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower::{Layer as _, Service, ServiceBuilder};
use tower_http::set_header::SetRequestHeaderLayer;

const BARE: &str = "bare service";
const BARE_WITHOUT_CREDENTIAL: &str = "bare service, no credential";
pub const OWN: &str = "GareLayer, the request's own credential";
pub const SESSION: &str = "GareLayer, the session's credential";
pub const RETRY: &str = "Retry";
pub const RETRY_AND_HEADER: &str = "Retry + SetRequestHeader";

type Body = Full<Bytes>;
type Answer = Ready<Result<Response<Body>, Infallible>>;
type Inner = tower::util::ServiceFn<fn(Request<Body>) -> Answer>;

pub fn all() -> Vec<Layer> {
    vec![
        with_credential(BARE, |service| service),
        with_credential(OWN, |service| layer().layer(service)),
        with_credential(RETRY, |service| {
            ServiceBuilder::new().retry(Cloning).service(service)
        }),
        without_credential(BARE_WITHOUT_CREDENTIAL, |service| service),
        without_credential(SESSION, |service| logged_in().layer(service)),
        without_credential(RETRY_AND_HEADER, |service| {
            ServiceBuilder::new()
                .retry(Cloning)
                .layer(SetRequestHeaderLayer::overriding(
                    AUTHORIZATION,
                    HeaderValue::from_static(request::CREDENTIAL),
                ))
                .service(service)
        }),
    ]
}

/// A layer for requests that have a credential of their own.
fn with_credential<S>(name: &'static str, wrap: fn(Inner) -> S) -> Layer
where
    S: Service<Request<Body>> + 'static,
{
    Layer {
        name,
        over: BARE,
        case: Box::new(move |origin| case(wrap(inner()), origin, true)),
    }
}

/// A layer that sets the credential. The header is part of what the layer adds.
fn without_credential<S>(name: &'static str, wrap: fn(Inner) -> S) -> Layer
where
    S: Service<Request<Body>> + 'static,
{
    Layer {
        name,
        over: BARE_WITHOUT_CREDENTIAL,
        case: Box::new(move |origin| {
            if name != BARE_WITHOUT_CREDENTIAL {
                assert_sets_credential(wrap(tower::service_fn(with_header)));
            }
            case(wrap(inner()), origin, false)
        }),
    }
}

fn inner() -> Inner {
    let answer = |_| ready(Ok(Response::new(Full::new(Bytes::from_static(b"{}")))));
    tower::service_fn(answer as fn(Request<Body>) -> Answer)
}

/// A service that fails the bench if the request has no credential.
fn with_header(request: Request<Body>) -> Answer {
    assert!(request.headers().contains_key(AUTHORIZATION));
    ready(Ok(Response::default()))
}

fn assert_sets_credential<S: Service<Request<Body>>>(mut service: S) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let request = request::build(false, |body| body);
    assert!(pin!(service.call(request)).poll(&mut context).is_ready());
}

fn case<S>(mut service: S, origin: Origin, authorized: bool) -> Case
where
    S: Service<Request<Body>> + 'static,
{
    let template = request::build(authorized, |body| body);
    let request = move || match origin {
        Origin::Template => template.clone(),
        Origin::Afresh => request::build(authorized, |body| body),
    };
    Case::new("", move || {
        let _ = service.poll_ready(&mut Context::from_waker(Waker::noop()));
        // Built in one place for all layers, so that the compiler cannot drop parts that a layer
        // does not read.
        let request = black_box(request());
        // Polled in place, without a move.
        let answer = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(_))));
    })
}

fn layer() -> GareLayer {
    GareLayer::new(reauth_fn(|_| async { Ok(Credential::bearer("never")?) }))
}

/// A layer whose session has a credential.
fn logged_in() -> GareLayer {
    let layer = layer();
    let service = tower::service_fn(|request: Request<Body>| async move {
        let (status, body) = match request.headers().get(AUTHORIZATION) {
            Some(_) => (200, "{}"),
            None => (403, r#"{"authorization_parameters": {}}"#),
        };
        let response = Response::builder().status(status);
        response.body(Full::new(Bytes::from_static(body.as_bytes())))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let request = request::build(false, |body| body);
    let answer = runtime.block_on(async { layer.layer(service).call(request).await });
    assert_eq!(answer.expect("an answer").status(), 200);
    layer
}
