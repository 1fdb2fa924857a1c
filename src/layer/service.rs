use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::{Again, Attempt, State, Unsent};
use super::kept::keep;
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

    // Always: these are a few comparisons, and what goes in and comes out is large.
    #[inline(always)]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.session.begin(request.uri(), request.extensions()) {
            Course::Aside => self.once(request, |_| State::Aside),
            Course::Untrusted => self.once(request, |session| State::Untrusted(session.clone())),
            Course::Through { is_usual } => {
                let body = request.body().try_clone();
                let watched = match body {
                    None if is_usual => self.session.watch(&request),
                    _ => None,
                };
                match watched {
                    Some(watched) => self.once(request, |_| State::Watched(watched)),
                    None => self.through(request, body),
                }
            }
        }
    }
}

impl<S> GareService<S> {
    /// Sends a request that is never sent again.
    #[inline(always)]
    fn once<B, ResB>(
        &mut self,
        request: Request<B>,
        state: impl FnOnce(&Session) -> State<S, B, ResB>,
    ) -> GareFuture<S, B, ResB>
    where
        S: Service<Request<B>, Response = Response<ResB>>,
        ResB: Body,
    {
        GareFuture {
            call: Some(self.inner.call(request)),
            // Made in its place: it has room for all that others keep.
            state: state(&self.session),
            limits: self.limits,
        }
    }

    /// Sends a request that may have to be sent again.
    #[inline(never)]
    fn through<B, ResB>(
        &mut self,
        mut request: Request<B>,
        body: Option<B>,
    ) -> GareFuture<S, B, ResB>
    where
        S: Service<Request<B>, Response = Response<ResB>> + Clone,
        B: ReplayableBody,
        ResB: Body,
    {
        // The service that was made ready is the one to call; its clone is not.
        let clone = self.inner.clone();
        let mut service = std::mem::replace(&mut self.inner, clone);
        let mut exchange = self.session.exchange(request.extensions());
        let (asked, kept) = keep(&request, body, &exchange);
        match exchange.present(asked.presented.as_ref(), request.uri()) {
            Header::AsItCame => {}
            Header::Issued(value) => authorize(request.headers_mut(), value),
            Header::Awaited => {
                let state = State::Preparing {
                    waiting: Box::pin(exchange.prepare(asked.clone())),
                    unsent: Box::new(Unsent {
                        request,
                        // A service that is ready may hold a permit or a place in a queue, which
                        // whoever gets the credential may need: it is given back meanwhile.
                        service: service.clone(),
                        asked,
                        kept,
                    }),
                };
                return GareFuture {
                    call: None,
                    state,
                    limits: self.limits,
                };
            }
        }
        GareFuture {
            call: Some(service.call(request)),
            state: State::Calling(Attempt {
                exchange,
                asked,
                again: kept.map(|kept| Again { service, kept }),
            }),
            limits: self.limits,
        }
    }
}
