//! The layers that are compared.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::FutureExt;
use globus_gare::layer::{GareLayer, ReplayableBody};
use globus_gare::reauth::{Credential, Trust, reauth_fn};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder};

use tower_http::follow_redirect::FollowRedirectLayer;
use tower_http::set_header::SetRequestHeaderLayer;

use super::probe::Probe;
use checks::bench::Case;
use checks::bench::peer::Peer;
use checks::bench::request::{self, Origin};
use checks::bench::retry::Cloning;

pub fn all() -> Vec<Peer> {
    vec![
        tower(BARE, true, |service| service),
        tower(BARE_WITHOUT_CREDENTIAL, false, |service| service),
        tower(
            "globus-gare, the request's own credential",
            true,
            |service| layer().layer(service),
        ),
        tower("globus-gare, the session's credential", false, |service| {
            logged_in().layer(service)
        }),
        tower("globus-gare, headers unlike the first's", true, |service| {
            after_another(layer().layer(service))
        }),
        peer(
            "globus-gare, a body that is read once",
            BARE,
            true,
            Once,
            || layer().layer(inner()),
        ),
        peer(
            "globus-gare, an origin it does not trust",
            BARE,
            true,
            |body| body,
            || aside().layer(inner()),
        ),
        tower("tower Retry, cloning", true, |service| {
            ServiceBuilder::new().retry(Cloning).service(service)
        }),
        tower("tower-http FollowRedirect", true, |service| {
            FollowRedirectLayer::new().layer(service)
        }),
        tower("tower-http SetRequestHeader", false, |service| {
            SetRequestHeaderLayer::overriding(AUTHORIZATION, credential()).layer(service)
        }),
        tower("a boxed future and a clone", true, Boxed),
        tower("a probe of the status", true, |inner| Probe {
            inner,
            looks_at_requests: false,
        }),
        tower("a probe of status, place and credential", true, |inner| {
            Probe {
                inner,
                looks_at_requests: true,
            }
        }),
    ]
}

const BARE: &str = "bare service";
const BARE_WITHOUT_CREDENTIAL: &str = "bare service, no credential";

type Answer = Ready<Result<Response<Full<Bytes>>, Infallible>>;
type Inner<B> = tower::util::ServiceFn<fn(Request<B>) -> Answer>;

fn answer<B>(_request: Request<B>) -> Answer {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"{}")))))
}

fn inner<B>() -> Inner<B> {
    tower::service_fn(answer::<B> as fn(Request<B>) -> Answer)
}

fn tower<S>(name: &'static str, authorized: bool, wrap: fn(Inner<Full<Bytes>>) -> S) -> Peer
where
    S: Service<Request<Full<Bytes>>> + 'static,
{
    // The header that the layer puts on the request is part of what it adds.
    let over = if authorized {
        BARE
    } else {
        BARE_WITHOUT_CREDENTIAL
    };
    peer(name, over, authorized, |body| body, move || wrap(inner()))
}

fn peer<B, S>(
    name: &'static str,
    over: &'static str,
    authorized: bool,
    body: fn(Full<Bytes>) -> B,
    service: impl Fn() -> S + 'static,
) -> Peer
where
    B: Clone + 'static,
    S: Service<Request<B>> + 'static,
{
    let case = move |origin: Origin, case: String| {
        let mut service = service();
        let template = request::build(authorized, body);
        let request = move || match origin {
            Origin::Template => template.clone(),
            Origin::Afresh => request::build(authorized, body),
        };
        Case::new(case, move || {
            let _ = service.poll_ready(&mut Context::from_waker(Waker::noop()));
            // Built in one place for all, so that no compiler builds it where only some need it.
            let request = black_box(request());
            // Polled where it was made: what it takes to move a future about depends on who does that.
            let answer = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
            matches!(answer, Poll::Ready(Ok(_)))
        })
    };
    Peer {
        name,
        over,
        case: Box::new(case),
    }
}

fn layer() -> GareLayer {
    GareLayer::new(reauth_fn(|_| async { Ok(Credential::bearer("never")?) }))
}

/// `service`, whose first request came with no header that the others come with.
fn after_another<S: Service<Request<Full<Bytes>>>>(mut service: S) -> S {
    let mut first = request::build(false, |body| body);
    *first.headers_mut() = [(ACCEPT, HeaderValue::from_static("*/*"))]
        .into_iter()
        .collect();
    let _ = service.call(first).now_or_never();
    service
}

/// One that is put on requests which come with none.
fn credential() -> HeaderValue {
    let (_, value) = request::HEADERS
        .into_iter()
        .find(|(name, _)| *name == "authorization")
        .unwrap();
    HeaderValue::from_static(value)
}

/// A layer that trusts nobody, and so never replays.
fn aside() -> GareLayer {
    layer().trust(Trust::none())
}

/// A layer that has logged in before.
fn logged_in() -> GareLayer {
    let layer = layer();
    let refuse = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let known = request.headers().contains_key("authorization");
        let body = if known {
            "{}"
        } else {
            r#"{"authorization_parameters": {}}"#
        };
        let response = Response::builder().status(if known { 200 } else { 403 });
        response.body(Full::new(Bytes::from_static(body.as_bytes())))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = request::build(false, |body| body);
    let answer = runtime
        .block_on(async { layer.layer(refuse).call(request).await })
        .unwrap();
    assert_eq!(answer.status(), 200);
    layer
}

/// A body that is read only once.
#[derive(Clone)]
pub struct Once(Full<Bytes>);

impl Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl ReplayableBody for Once {
    fn try_clone(&self) -> Option<Self> {
        None
    }
}

/// The layer that everybody writes first.
#[derive(Clone)]
struct Boxed<S>(S);

impl<S, B> Service<Request<B>> for Boxed<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let clone = self.0.clone();
        let mut service = std::mem::replace(&mut self.0, clone);
        Box::pin(async move {
            let kept = request.clone();
            let answer = service.call(request).await;
            drop(kept);
            answer
        })
    }
}
