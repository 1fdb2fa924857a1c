use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::Attempt;
use super::kept::Kept;
use super::layer::Limits;
use super::{GareBody, GareFuture, ReplayableBody};
use crate::kept_headers::authorize;
use crate::reauth::{Course, Header, Session};

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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        let mut service = std::mem::replace(&mut self.inner, clone);
        let mut exchange = match self.session.begin(request.uri(), request.extensions()) {
            Course::Aside => return GareFuture::aside(service.call(request)),
            Course::Untrusted => {
                return GareFuture::untrusted(service.call(request), &self.session);
            }
            Course::Through(exchange) => exchange,
        };
        let kept = Kept::of(&request, &exchange);
        match exchange.present(kept.presented(), request.uri()) {
            Header::AsItCame => {}
            Header::Issued(value) => authorize(request.headers_mut(), value),
            Header::Awaited => {
                return GareFuture::preparing(request, exchange, service, kept, self.limits);
            }
        }
        let future = service.call(request);
        let attempt = Attempt {
            exchange,
            service,
            kept,
        };
        GareFuture::calling(future, attempt, self.limits)
    }
}
