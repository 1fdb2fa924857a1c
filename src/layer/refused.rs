//! What follows when a request has to wait, or its answer asks for something: few come here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, response};
use http_body::Body;
use tower_service::Service;

use super::future::{Attempt, State, Unsent};
use super::layer::Limits;
use super::{GareBody, ReplayableBody};
use crate::body::{Held, Inspection};
use crate::gare::detect;
use crate::kept_headers::authorize;

/// Nothing where the state that it was put into has to be polled next.
type Next<ResB, E> = Poll<Option<Result<Response<GareBody<ResB>>, E>>>;

/// Polls what a state waits for, and puts the one that follows into its place: they are large.
// Not inlined, nor is the other way here: it would be in the way of all requests.
#[inline(never)]
pub(super) fn go_on<S, B, ResB>(
    call: Pin<&mut Option<S::Future>>,
    state: &mut State<S, B, ResB>,
    cx: &mut Context<'_>,
) -> Next<ResB, S::Error>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    B: ReplayableBody,
    ResB: Body,
{
    match state {
        State::Inspecting { inspection, .. } => {
            let end = ready!(inspection.poll_end(cx));
            match state.take() {
                State::Inspecting {
                    inspection,
                    head,
                    attempt,
                } => inspected(state, attempt, *head, inspection.give_back(end)).map(|()| None),
                _ => Poll::Pending,
            }
        }
        State::Preparing { waiting, .. } | State::Deciding { waiting, .. } => {
            let (mut exchange, header) = ready!(waiting.as_mut().poll(cx));
            match state.take() {
                State::Preparing { unsent, .. } => {
                    let Unsent {
                        mut request,
                        service,
                        kept,
                    } = *unsent;
                    if let Some(value) = header {
                        authorize(request.headers_mut(), value);
                    }
                    let attempt = Attempt {
                        exchange,
                        service,
                        kept,
                    };
                    attempt.call(call, state, request, cx)
                }
                State::Deciding {
                    response,
                    service,
                    kept,
                    ..
                } => {
                    let again = exchange.again(header, |header, usual| kept.with(header, usual));
                    let Some((request, kept)) = again else {
                        let mut response = *response;
                        exchange.finish(response.status(), response.extensions_mut());
                        return Poll::Ready(Some(Ok(response.map(GareBody::inspected))));
                    };
                    drop(response);
                    let attempt = Attempt {
                        exchange,
                        service,
                        kept,
                    };
                    attempt.call(call, state, request, cx)
                }
                _ => Poll::Pending,
            }
        }
        State::Readying { attempt, .. } => {
            let ready = ready!(attempt.service.poll_ready(cx));
            match (state.take(), ready) {
                (_, Err(error)) => Poll::Ready(Some(Err(error))),
                (State::Readying { request, attempt }, Ok(())) => {
                    attempt.called(call, state, *request)
                }
                _ => Poll::Pending,
            }
        }

        // As every future, this one is not to be polled after it is done.
        State::Aside(_) | State::Calling(_) | State::Done => Poll::Pending,
    }
}

impl<S: Service<Request<B>>, B> Attempt<S, B> {
    /// The service is made ready, and called; mostly both at once.
    fn call<ResB: Body>(
        mut self,
        call: Pin<&mut Option<S::Future>>,
        state: &mut State<S, B, ResB>,
        request: Request<B>,
        cx: &mut Context<'_>,
    ) -> Next<ResB, S::Error> {
        match self.service.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.called(call, state, request),
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Pending => {
                *state = State::Readying {
                    request: Box::new(request),
                    attempt: self,
                };
                Poll::Pending
            }
        }
    }

    fn called<ResB: Body>(
        mut self,
        mut call: Pin<&mut Option<S::Future>>,
        state: &mut State<S, B, ResB>,
        request: Request<B>,
    ) -> Next<ResB, S::Error> {
        call.set(Some(self.service.call(request)));
        *state = State::Calling(self);
        Poll::Ready(None)
    }
}

/// Reads what there is of the body of an answer that is minded; it is mostly all there.
#[inline(never)]
pub(super) fn inspect<S, B, ResB>(
    state: &mut State<S, B, ResB>,
    response: Response<ResB>,
    asks: bool,
    limits: Limits,
    cx: &mut Context<'_>,
) -> Poll<()>
where
    B: ReplayableBody,
    ResB: Body,
{
    let State::Calling(attempt) = state.take() else {
        return Poll::Pending;
    };
    if !asks {
        return decide(state, attempt, Box::new(response.map(Held::unread)), None);
    }
    let (head, body) = response.into_parts();
    let mut inspection = Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
    match inspection.poll_end(cx) {
        Poll::Ready(end) => inspected(state, attempt, head, inspection.give_back(end)),
        Poll::Pending => {
            *state = State::Inspecting {
                inspection: Box::new(inspection),
                head: Box::new(head),
                attempt,
            };
            Poll::Pending
        }
    }
}

fn inspected<S, B, ResB>(
    state: &mut State<S, B, ResB>,
    attempt: Attempt<S, B>,
    head: response::Parts,
    (text, held): (Option<Bytes>, Held<ResB>),
) -> Poll<()>
where
    B: ReplayableBody,
    ResB: Body,
{
    let response = Box::new(Response::from_parts(head, held));
    decide(state, attempt, response, text.as_deref())
}

fn decide<S, B, ResB>(
    state: &mut State<S, B, ResB>,
    attempt: Attempt<S, B>,
    response: Box<Response<Held<ResB>>>,
    text: Option<&[u8]>,
) -> Poll<()>
where
    B: ReplayableBody,
    ResB: Body,
{
    let Attempt {
        exchange,
        service,
        kept,
    } = attempt;
    let found = text.map(detect).unwrap_or_default();
    // A claim may end the sending of the first attempt's body, and with it the
    // connection: there has to be a reason, and the answer has to be read.
    let claims = text.is_some() && (!found.is_empty() || exchange.minds(response.status()));
    let replayable = kept.is_replayable() && (!claims || kept.claim());
    let waiting = exchange.decide(kept.asked(), response.status(), found, replayable);
    *state = State::Deciding {
        waiting: Box::pin(waiting),
        response,
        service,
        kept,
    };
    Poll::Ready(())
}
