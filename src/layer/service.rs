use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::Authority;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::follow::follow_first;
use super::future::{First, State};
use super::kept::{KeptHeaders, Replays, authorize};
use super::{GareBody, GareFuture, GareLayer, ReplayableBody};
use crate::reauth::{Authorization, RequestHead, Route, Session, Untrusted};

/// The service that [`GareLayer`](super::GareLayer) makes.
///
/// # If the compiler says that `call` or `oneshot` does not exist
///
/// A `GareService` is a [`Service`] only if all of these hold:
///
/// | part | bound | remedy |
/// | --- | --- | --- |
/// | the body of the request | [`ReplayableBody`] + `Send + 'static` | put a stream into a [`ReplayBody`](super::ReplayBody) |
/// | the inner service | `Clone + Send + 'static` | use a `BoxCloneService` instead of a `BoxService`, or tower's `Buffer` around it |
/// | its future | `Send` | use an `Arc` instead of an `Rc`, and hold no guard of a lock across an `.await` |
/// | its response | `http::Response` with a body that is `Send + 'static`, whose error is `Send` | box the body, for example with `BodyExt::boxed` |
///
/// For `oneshot`, the compiler often does not say which bound is missing. For a function that
/// requires the service, it does:
///
/// ```compile_fail,E0277
/// use bytes::Bytes;
/// use globus_gare::layer::GareLayer;
/// use globus_gare::reauth::{Credential, reauth_fn};
/// use http::{Request, Response};
/// use http_body_util::{BodyStream, Full, StreamBody};
/// use tower::{Layer, Service, service_fn};
///
/// fn check<S: Service<Request<B>>, B>(_: &S, _: &Request<B>) {}
///
/// type Stream = StreamBody<BodyStream<Full<Bytes>>>;
/// let inner = service_fn(|_: Request<Stream>| async { Response::builder().body(Full::<Bytes>::default()) });
/// let client = GareLayer::new(reauth_fn(|_| async { Ok(Credential::bearer("token")?) })).layer(inner);
/// let request = Request::new(StreamBody::new(BodyStream::new(Full::default())));
/// // error: `StreamBody<...>` cannot be replayed after a login
/// check(&client, &request);
/// ```
///
/// # Clone
///
/// Clones share the [`Session`]; each has a clone of the inner service.
#[derive(Clone, Debug)]
pub struct GareService<S> {
    inner: S,
    layer: GareLayer,
}

impl<S> GareService<S> {
    pub(super) fn new(inner: S, layer: GareLayer) -> Self {
        Self { inner, layer }
    }

    /// The wrapped service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped service, mutably. Other clones of this service do not change.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the wrapped service. The session continues to exist for the other clones.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        self.layer.session()
    }
}

impl<S, B, ResB> Service<Request<B>> for GareService<S>
where
    S: Service<Request<B>, Response = Response<ResB>, Future: Send> + Clone + Send + 'static,
    B: ReplayableBody + Send + 'static,
    ResB: Body<Error: Send> + Send + 'static,
{
    type Response = Response<GareBody<ResB>>;
    type Error = S::Error;
    type Future = GareFuture<S, B, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let limits = self.layer.limits;
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let route = self.layer.session().start(RequestHead {
            method: &method,
            scheme: uri.scheme_str().unwrap_or_default(),
            authority: uri.authority().map_or("", Authority::as_str),
            path: uri.path(),
            headers: request.headers(),
            extensions: request.extensions(),
            defaults: &self.layer.defaults,
        });
        let (handled, authorization) = match route {
            Route::Bypass(value) => {
                if let Some(value) = value {
                    authorize(request.headers_mut(), value);
                }
                return self.pass(request, None);
            }
            Route::Untrusted(untrusted) => return self.pass(request, Some(untrusted)),
            Route::Handle(handled, authorization) => (handled, authorization),
        };
        // The ready service is called. Its clone need not be ready.
        let clone = self.inner.clone();
        let mut replays = Replays {
            service: std::mem::replace(&mut self.inner, clone),
            method,
            uri,
            version: request.version(),
            headers: KeptHeaders::of(request.headers()),
            extensions: request.extensions().clone(),
            defaults: Arc::clone(&self.layer.defaults),
            body: request.body_mut().try_clone(),
        };
        match authorization {
            Authorization::Known(None) => {}
            Authorization::Known(Some(value)) => authorize(request.headers_mut(), value),
            Authorization::Awaited => {
                // A ready service may own a concurrency permit that the login needs, so it is
                // dropped, and a clone waits.
                replays.service = replays.service.clone();
                let exchange = replays.exchange(handled);
                let follow = Box::pin(follow_first(exchange, replays, limits, request));
                let state = State::Following { follow };
                return GareFuture { state, limits };
            }
        }
        let call = replays.service.call(request);
        let first = Some(First { handled, replays });
        let state = State::First { call, first };
        GareFuture { state, limits }
    }
}

impl<S> GareService<S> {
    /// Sends a request that is never sent again.
    fn pass<B, ResB>(
        &mut self,
        request: Request<B>,
        untrusted: Option<Untrusted>,
    ) -> GareFuture<S, B, ResB>
    where
        S: Service<Request<B>, Response = Response<ResB>>,
        ResB: Body,
    {
        let call = self.inner.call(request);
        GareFuture {
            state: State::Pass { call, untrusted },
            limits: self.layer.limits,
        }
    }
}
