use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::layer::Limits;
use super::{GareBody, GareFuture, ReplayableBody};
use crate::reauth::{Course, Session};

/// The service that [`GareLayer`](super::GareLayer) makes.
///
/// # Clone
///
/// Clones share the [`Session`]; each has a clone of the inner service.
#[derive(Clone, Debug)]
pub struct GareService<S> {
    inner: S,
    session: Session,
    limits: Limits,
}

impl<S> GareService<S> {
    pub(super) fn new(inner: S, session: Session, limits: Limits) -> Self {
        Self {
            inner,
            session,
            limits,
        }
    }

    /// The wrapped service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped service, out of the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl<S, B, ResB> Service<Request<B>> for GareService<S>
where
    S: Service<Request<B>, Response = Response<ResB>> + Clone,
    B: ReplayableBody,
    ResB: Body,
{
    type Response = Response<GareBody<ResB>>;
    type Error = S::Error;
    type Future = GareFuture<S, B, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        let mut service = std::mem::replace(&mut self.inner, clone);
        let course = self.session.begin(
            request.method(),
            request.uri(),
            request.headers(),
            request.extensions(),
        );
        match course {
            Course::Aside => GareFuture::aside(service.call(request)),
            Course::Untrusted => GareFuture::untrusted(service.call(request), &self.session),
            Course::Through(exchange) => {
                GareFuture::through(service, request, exchange, self.limits)
            }
        }
    }
}

/// A request as it came, to be sent again.
pub(super) struct Template<B>(Request<B>);

impl<B: ReplayableBody> Template<B> {
    /// `None` where the body cannot be sent a second time.
    pub(super) fn of(request: &Request<B>) -> Option<Self> {
        request.body().try_clone().map(|body| {
            let mut copy = Request::new(body);
            *copy.method_mut() = request.method().clone();
            *copy.uri_mut() = request.uri().clone();
            *copy.version_mut() = request.version();
            *copy.headers_mut() = request.headers().clone();
            *copy.extensions_mut() = request.extensions().clone();
            Self(copy)
        })
    }

    /// Whether the body is still there to be sent, and from now on remains so.
    pub(super) fn claim(&self) -> bool {
        self.0.body().claim()
    }

    /// The request with another credential; a copy stays if one can be made.
    pub(super) fn with(self, authorization: HeaderValue) -> (Request<B>, Option<Self>) {
        let mut request = self.0;
        authorize(&mut request, authorization);
        let template = Self::of(&request);
        (request, template)
    }
}

/// Replaces `Authorization`, however many there are.
pub(super) fn authorize<B>(request: &mut Request<B>, mut value: HeaderValue) {
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
}
