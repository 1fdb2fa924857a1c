use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Method, Request, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::kept::Kept;
use super::layer::Limits;
use super::refused::{go_on, inspect};
use super::{GareBody, ReplayableBody};
use crate::body::{Held, Inspection};
use crate::reauth::{Exchange, Session, may_ask};

/// What waits for others is boxed; a response that is not inspected never gets here. So is what only some requests come
/// to need: every caller moves the future about.
type Waiting = Pin<Box<dyn Future<Output = (Exchange, Option<HeaderValue>)> + Send>>;

pin_project! {
    /// The response future of a [`GareService`](super::GareService).
    #[must_use = "futures do nothing unless you await them"]
    pub struct GareFuture<S, B, ResB>
    where
        S: Service<Request<B>>,
        ResB: Body,
    {
        #[pin]
        state: State<S, B, S::Future, ResB>,
        limits: Limits,
    }
}

pin_project! {
    #[project = StateProjection]
    #[project_replace = StateTaken]
    pub(super) enum State<S, B, F, ResB>
    where
        ResB: Body,
    {
        // The request is not ours to touch.
        Aside { #[pin] future: F, untrusted: Option<Session> },
        // There is no credential yet, or it has run out: somebody is getting one.
        Preparing { waiting: Waiting, unsent: Box<Unsent<S, B>> },
        // The inner service is asked.
        Calling { #[pin] future: F, attempt: Attempt<S, B> },
        // The answer may ask for something: its body is read ahead.
        Inspecting { inspection: Box<Inspection<ResB>>, head: Box<response::Parts>, attempt: Attempt<S, B> },
        // It does. The session decides, logs in, waits.
        Deciding { waiting: Waiting, response: Box<Response<Held<ResB>>>, service: S, kept: Kept<B> },
        // There is a credential, or a newer one: the service is made ready for it.
        Readying { request: Box<Request<B>>, attempt: Attempt<S, B> },
        Done,
    }
}

/// What waits for a credential.
pub(super) struct Unsent<S, B> {
    pub(super) request: Request<B>,
    pub(super) service: S,
    pub(super) kept: Kept<B>,
}

/// What is kept while a request is under way.
pub(super) struct Attempt<S, B> {
    pub(super) exchange: Exchange,
    pub(super) service: S,
    pub(super) kept: Kept<B>,
}

impl<S, B, ResB> GareFuture<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>> + Clone,
    B: ReplayableBody,
    ResB: Body,
{
    pub(super) fn aside(future: S::Future) -> Self {
        Self {
            state: State::Aside {
                future,
                untrusted: None,
            },
            limits: Limits::default(),
        }
    }

    pub(super) fn untrusted(future: S::Future, session: &Session) -> Self {
        Self {
            state: State::Aside {
                future,
                untrusted: Some(session.clone()),
            },
            limits: Limits::default(),
        }
    }

    /// For a request that there is no credential for yet.
    pub(super) fn preparing(
        request: Request<B>,
        exchange: Exchange,
        service: S,
        kept: Kept<B>,
        limits: Limits,
    ) -> Self {
        let state = State::Preparing {
            waiting: Box::pin(exchange.prepare(kept.asked())),
            unsent: Box::new(Unsent {
                request,
                // A service that is ready may hold a permit or a place in a queue, which
                // whoever gets the credential may need: it is given back meanwhile.
                service: service.clone(),
                kept,
            }),
        };
        Self { state, limits }
    }

    /// For a request that `future` sends.
    #[inline]
    pub(super) fn calling(future: S::Future, attempt: Attempt<S, B>, limits: Limits) -> Self {
        Self {
            state: State::Calling { future, attempt },
            limits,
        }
    }
}

impl<S, B, ResB> Future for GareFuture<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    B: ReplayableBody,
    ResB: Body,
{
    type Output = Result<Response<GareBody<ResB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                // Most requests end in one of these two, without anything being moved.
                StateProjection::Aside { future, untrusted } => {
                    let mut answer = ready!(future.poll(cx));
                    if let (Ok(response), Some(session)) = (&mut answer, untrusted) {
                        tell_untrusted(session, response, this.limits.max_inspect);
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(answer.map(|response| response.map(GareBody::untouched)));
                }
                StateProjection::Calling { future, attempt } => {
                    let mut response = match ready!(future.poll(cx)) {
                        Ok(response) => response,
                        Err(error) => {
                            this.state.set(State::Done);
                            return Poll::Ready(Err(error));
                        }
                    };
                    let asks = attempt.may_ask(&response, this.limits.max_inspect);
                    if !attempt.minds(&response, asks) {
                        let status = response.status();
                        attempt.exchange.finish(status, response.extensions_mut());
                        this.state.set(State::Done);
                        return Poll::Ready(Ok(response.map(GareBody::untouched)));
                    }
                    ready!(inspect(
                        this.state.as_mut(),
                        response,
                        asks,
                        *this.limits,
                        cx
                    ));
                }
                _ => {
                    if let Some(answer) = ready!(go_on(this.state.as_mut(), cx)) {
                        return Poll::Ready(answer);
                    }
                }
            }
        }
    }
}

impl<S, B: ReplayableBody> Attempt<S, B> {
    #[inline]
    fn may_ask<ResB: Body>(&self, response: &Response<ResB>, max_inspect: usize) -> bool {
        may_ask(self.kept.method(), response, max_inspect)
    }

    /// Whether there is anything to be done about an answer that asks for something or not: mostly not.
    #[inline]
    fn minds<ResB>(&mut self, response: &Response<ResB>, asks: bool) -> bool {
        let kept = &self.kept;
        let minded = asks || self.exchange.minds(response.status());
        minded && self.exchange.hears(response.extensions(), || kept.asked())
    }
}

/// The caller is told that an origin which is not trusted might ask for something.
fn tell_untrusted<ResB: Body>(
    session: &Session,
    response: &mut Response<ResB>,
    max_inspect: usize,
) {
    // The request's method is gone by now; the answer to a HEAD is told of as well.
    if may_ask(&Method::GET, response, max_inspect) {
        response.extensions_mut().insert(session.untrusted());
    }
}

impl<S, B, ResB> fmt::Debug for GareFuture<S, B, ResB>
where
    S: Service<Request<B>>,
    ResB: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GareFuture").finish_non_exhaustive()
    }
}
