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
        // Of the inner service, while it is asked.
        #[pin]
        call: Option<S::Future>,
        state: State<S, B, ResB>,
        limits: Limits,
    }
}

pub(super) enum State<S, B, ResB: Body> {
    /// The request is not ours to touch; the session is told of an origin that is not trusted.
    Aside(Option<Session>),
    /// There is no credential yet, or it has run out: somebody is getting one.
    Preparing {
        waiting: Waiting,
        unsent: Box<Unsent<S, B>>,
    },
    /// The inner service is asked.
    Calling(Attempt<S, B>),
    /// The answer may ask for something: its body is read ahead.
    Inspecting {
        inspection: Box<Inspection<ResB>>,
        head: Box<response::Parts>,
        attempt: Attempt<S, B>,
    },
    /// It does. The session decides, logs in, waits.
    Deciding {
        waiting: Waiting,
        response: Box<Response<Held<ResB>>>,
        service: S,
        kept: Kept<B>,
    },
    /// There is a credential, or a newer one: the service is made ready for it.
    Readying {
        request: Box<Request<B>>,
        attempt: Attempt<S, B>,
    },
    Done,
}

impl<S, B, ResB: Body> State<S, B, ResB> {
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Done)
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
            call: Some(future),
            state: State::Aside(None),
            limits: Limits::default(),
        }
    }

    pub(super) fn untrusted(future: S::Future, session: &Session) -> Self {
        Self {
            call: Some(future),
            state: State::Aside(Some(session.clone())),
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
        Self {
            call: None,
            state,
            limits,
        }
    }

    /// For a request that `future` sends.
    #[inline]
    pub(super) fn calling(future: S::Future, attempt: Attempt<S, B>, limits: Limits) -> Self {
        Self {
            call: Some(future),
            state: State::Calling(attempt),
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
            let Some(call) = this.call.as_mut().as_pin_mut() else {
                match ready!(go_on(this.call.as_mut(), this.state, cx)) {
                    Some(answer) => return Poll::Ready(answer),
                    None => continue,
                }
            };
            let mut response = match ready!(call.poll(cx)) {
                Ok(response) => response,
                Err(error) => {
                    this.call.set(None);
                    *this.state = State::Done;
                    return Poll::Ready(Err(error));
                }
            };
            this.call.set(None);
            let max_inspect = this.limits.max_inspect;
            let minded = match this.state {
                State::Calling(attempt) => attempt.minds(&mut response, max_inspect),
                State::Aside(Some(session)) => {
                    tell_untrusted(session, &mut response, max_inspect);
                    None
                }
                _ => None,
            };
            let Some(asks) = minded else {
                // Most requests end here.
                *this.state = State::Done;
                return Poll::Ready(Ok(response.map(GareBody::untouched)));
            };
            ready!(inspect(this.state, response, asks, *this.limits, cx));
        }
    }
}

impl<S, B: ReplayableBody> Attempt<S, B> {
    /// Whether an answer may ask for something, if there is anything to be done about it. Mostly there is not, and that is
    /// the end of it.
    #[inline]
    fn minds<ResB: Body>(
        &mut self,
        response: &mut Response<ResB>,
        max_inspect: usize,
    ) -> Option<bool> {
        let (exchange, kept) = (&mut self.exchange, &self.kept);
        let asks = may_ask(kept.method(), response, max_inspect);
        let minded = (asks || exchange.minds(response.status()))
            && exchange.hears(response.extensions(), || kept.asked());
        if !minded {
            exchange.finish(response.status(), response.extensions_mut());
            return None;
        }
        Some(asks)
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
