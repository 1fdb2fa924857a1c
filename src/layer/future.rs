use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::InspectLimits;
use super::follow::{follow, glance};
use super::kept::Replays;
use super::{GareBody, ReplayableBody};
use crate::reauth::{Handled, Untrusted};

pin_project! {
    /// The response future of a [`GareService`](super::GareService).
    ///
    /// # Panics
    ///
    /// If it is polled after it has completed.
    #[must_use = "futures do nothing unless you await them"]
    pub struct GareFuture<S, B, ResB>
    where
        S: Service<Request<B>>,
        ResB: Body,
    {
        #[pin]
        pub(super) state: State<S::Future, S, B, Answer<S, B, ResB>>,
        pub(super) limits: InspectLimits,
    }
}

type Answer<S, B, ResB> = Result<Response<GareBody<ResB>>, <S as Service<Request<B>>>::Error>;

pin_project! {
    #[project = Projected]
    pub(super) enum State<F, S, B, A> {
        /// The request is bypassed, or its origin is not trusted.
        Pass { #[pin] call: F, untrusted: Option<Untrusted> },
        /// The first attempt, and the copy of the request until the response arrives.
        First { #[pin] call: F, first: Option<First<S, B>> },
        /// The request waits for its first credential, or its response may be a challenge.
        Following { follow: Pin<Box<dyn Future<Output = A> + Send>> },
    }
}

pub(super) struct First<S, B> {
    pub(super) handled: Handled,
    pub(super) replays: Replays<S, B>,
}

impl<S, B, ResB> Future for GareFuture<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>, Future: Send> + Send + 'static,
    B: ReplayableBody + Send + 'static,
    ResB: Body<Error: Send> + Send + 'static,
{
    type Output = Answer<S, B, ResB>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        loop {
            match this.state.as_mut().project() {
                Projected::Pass { call, untrusted } => {
                    let response = ready!(call.poll(cx))?;
                    let response = match untrusted.take() {
                        Some(untrusted) => glance(untrusted, response, this.limits, cx),
                        None => response.map(GareBody::untouched),
                    };
                    return Poll::Ready(Ok(response));
                }
                Projected::First { call, first } => {
                    let kept = first.as_ref();
                    let First { handled, replays } =
                        kept.expect("`GareFuture` polled after completion");
                    let response = match ready!(call.poll(cx)) {
                        Ok(response) => response,
                        Err(error) => {
                            *first = None;
                            return Poll::Ready(Err(error));
                        }
                    };
                    if !handled.may_follow(&replays.method, &response, this.limits.max_inspect) {
                        handled.answered(response.status(), replays.uri.path());
                        *first = None;
                        return Poll::Ready(Ok(response.map(GareBody::untouched)));
                    }
                    if let Some(First { handled, replays }) = first.take() {
                        let exchange = replays.exchange(handled);
                        let follow = Box::pin(follow(exchange, replays, *this.limits, response));
                        this.state.set(State::Following { follow });
                    }
                }
                // This future panics too if it is polled after completion.
                Projected::Following { follow } => return follow.as_mut().poll(cx),
            }
        }
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
