use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Request, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::kept::Kept;
use super::layer::Limits;
use super::{GareBody, ReplayableBody};
use crate::body::{Held, Inspection};
use crate::reauth::{Asked, Exchange, Session, Watched};

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
        // Of the inner service, until its answer has to be looked into.
        #[pin]
        pub(super) call: Option<S::Future>,
        pub(super) state: State<S, B, ResB>,
        pub(super) limits: Limits,
    }
}

/// How far a request has come, and what is kept of it.
pub(super) enum State<S, B, ResB: Body> {
    /// The inner service is asked: the request is not ours to touch.
    Aside,
    /// It is asked: the session is told of an origin that is not trusted.
    Untrusted(Session),
    /// It is asked: the caller is told of a refusal, and no more can be done.
    Watched(Watched),
    /// It is asked, perhaps not for the last time.
    Calling(Attempt<S, B>),
    /// There is no credential yet, or it has run out: somebody is getting one.
    Preparing {
        waiting: Waiting,
        unsent: Box<Unsent<S, B>>,
    },
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
        asked: Asked,
        again: Option<Again<S, B>>,
    },
    /// There is a credential, or a newer one: the service is made ready for it.
    Readying {
        exchange: Exchange,
        unsent: Box<Unsent<S, B>>,
    },
    Done,
}

/// What is about to be sent.
pub(super) struct Unsent<S, B> {
    pub(super) request: Request<B>,
    pub(super) service: S,
    pub(super) asked: Asked,
    pub(super) kept: Option<Kept<B>>,
}

/// What is kept while a request is under way.
pub(super) struct Attempt<S, B> {
    pub(super) exchange: Exchange,
    pub(super) asked: Asked,
    /// None where it cannot be sent again.
    pub(super) again: Option<Again<S, B>>,
}

/// What it takes to send a request again.
pub(super) struct Again<S, B> {
    pub(super) service: S,
    pub(super) kept: Kept<B>,
}

impl<S, B, ResB> Future for GareFuture<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    B: ReplayableBody,
    ResB: Body,
{
    type Output = Result<Response<GareBody<ResB>>, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        let Some(call) = this.call.as_mut().as_pin_mut() else {
            return self.go_on(None, cx);
        };
        match ready!(call.poll(cx)) {
            // Most requests end here.
            Ok(mut response) if response.status().is_success() => {
                if let State::Calling(attempt) = this.state {
                    let status = response.status();
                    attempt.exchange.finish(status, response.extensions_mut());
                    *this.state = State::Done;
                }
                this.call.set(None);
                Poll::Ready(Ok(response.map(GareBody::untouched)))
            }
            answer => self.go_on(Some(answer), cx),
        }
    }
}

impl<S, B, ResB: Body> State<S, B, ResB> {
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Done)
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
