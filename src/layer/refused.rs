//! What follows when a request has to wait, or its answer is no plain success: few come here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response, response};
use http_body::Body;
use tower_service::Service;

use super::future::{Again, Attempt, State, Unsent};
use super::layer::Limits;
use super::{GareBody, GareFuture, ReplayableBody};
use crate::body::{Held, Inspection};
use crate::gare::Detection;
use crate::kept_headers::authorize;
use crate::reauth::{Exchange, Session, may_ask};

/// Nothing where the state that it was put into has to be polled next.
type Next<ResB, E> = Poll<Option<Result<Response<GareBody<ResB>>, E>>>;

impl<S, B, ResB> GareFuture<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    B: ReplayableBody,
    ResB: Body,
{
    /// Does what there is to be done about an answer, if there is one, and about all that follow.
    // Not inlined: it would be in the way of all requests.
    #[inline(never)]
    pub(super) fn go_on(
        self: Pin<&mut Self>,
        mut answer: Option<Result<Response<ResB>, S::Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<GareBody<ResB>>, S::Error>> {
        let mut this = self.project();
        loop {
            match answer.take() {
                None => {}
                Some(Err(error)) => {
                    this.call.set(None);
                    *this.state = State::Done;
                    return Poll::Ready(Err(error));
                }
                Some(Ok(mut response)) => {
                    this.call.set(None);
                    let Some(asks) = this.state.minds(&mut response, this.limits.max_inspect)
                    else {
                        *this.state = State::Done;
                        return Poll::Ready(Ok(response.map(GareBody::untouched)));
                    };
                    ready!(inspect(this.state, response, asks, *this.limits, cx));
                }
            }
            if let Some(call) = this.call.as_mut().as_pin_mut() {
                answer = Some(ready!(call.poll(cx)));
            } else if let Some(answer) = ready!(this.state.step(this.call.as_mut(), cx)) {
                return Poll::Ready(answer);
            }
        }
    }
}

impl<S, B, ResB> State<S, B, ResB>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    B: ReplayableBody,
    ResB: Body,
{
    /// Whether an answer may ask for something, if there is anything to be done about it. Mostly there is not, and that is
    /// the end of it.
    fn minds(&mut self, response: &mut Response<ResB>, max_inspect: usize) -> Option<bool> {
        match self {
            Self::Untrusted(session) => tell_untrusted(session, response, max_inspect),
            Self::Watched(watched) => {
                let (exchange, asked) = watched.exchange();
                *self = Self::Calling(Attempt {
                    exchange,
                    asked,
                    again: None,
                });
            }
            _ => {}
        }
        let Self::Calling(Attempt {
            exchange, asked, ..
        }) = self
        else {
            return None;
        };
        let asks = may_ask(&asked.method, response, max_inspect);
        let minded = (asks || exchange.minds(response.status()))
            && exchange.hears(response.extensions(), || asked.clone());
        if !minded {
            exchange.finish(response.status(), response.extensions_mut());
            return None;
        }
        Some(asks)
    }

    /// Polls what a state waits for, and puts the one that follows into its place: they are large.
    fn step(
        &mut self,
        call: Pin<&mut Option<S::Future>>,
        cx: &mut Context<'_>,
    ) -> Next<ResB, S::Error> {
        match self {
            Self::Inspecting { inspection, .. } => {
                let end = ready!(inspection.poll_end(cx));
                match self.take() {
                    Self::Inspecting {
                        inspection,
                        head,
                        attempt,
                    } => inspected(self, attempt, *head, inspection.give_back(end)).map(|()| None),
                    _ => Poll::Pending,
                }
            }
            Self::Preparing { waiting, .. } | Self::Deciding { waiting, .. } => {
                let (mut exchange, header) = ready!(waiting.as_mut().poll(cx));
                match self.take() {
                    Self::Preparing { mut unsent, .. } => {
                        if let Some(value) = header {
                            authorize(unsent.request.headers_mut(), value);
                        }
                        self.send(call, exchange, *unsent, cx)
                    }
                    Self::Deciding {
                        response,
                        asked,
                        again,
                        ..
                    } => {
                        let unsent = exchange.again(header, |header, usual| {
                            let Again { service, kept } = again?;
                            let (request, kept) = kept.with(&asked, header, usual)?;
                            Some(Unsent {
                                request,
                                service,
                                asked,
                                kept,
                            })
                        });
                        let Some(unsent) = unsent else {
                            let mut response = *response;
                            exchange.finish(response.status(), response.extensions_mut());
                            return Poll::Ready(Some(Ok(response.map(GareBody::inspected))));
                        };
                        drop(response);
                        self.send(call, exchange, unsent, cx)
                    }
                    _ => Poll::Pending,
                }
            }
            Self::Readying { unsent, .. } => {
                let ready = ready!(unsent.service.poll_ready(cx));
                match (self.take(), ready) {
                    (_, Err(error)) => Poll::Ready(Some(Err(error))),
                    (Self::Readying { exchange, unsent }, Ok(())) => {
                        self.sent(call, exchange, *unsent)
                    }
                    _ => Poll::Pending,
                }
            }
            // As every future, this one is not to be polled after it is done.
            _ => Poll::Pending,
        }
    }

    /// The service is made ready, and called; mostly both at once.
    fn send(
        &mut self,
        call: Pin<&mut Option<S::Future>>,
        exchange: Exchange,
        mut unsent: Unsent<S, B>,
        cx: &mut Context<'_>,
    ) -> Next<ResB, S::Error> {
        match unsent.service.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.sent(call, exchange, unsent),
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Pending => {
                *self = Self::Readying {
                    exchange,
                    unsent: Box::new(unsent),
                };
                Poll::Pending
            }
        }
    }

    fn sent(
        &mut self,
        mut call: Pin<&mut Option<S::Future>>,
        exchange: Exchange,
        unsent: Unsent<S, B>,
    ) -> Next<ResB, S::Error> {
        let Unsent {
            request,
            mut service,
            asked,
            kept,
        } = unsent;
        call.set(Some(service.call(request)));
        *self = Self::Calling(Attempt {
            exchange,
            asked,
            again: kept.map(|kept| Again { service, kept }),
        });
        Poll::Ready(None)
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

/// Reads what there is of the body of an answer that is minded; it is mostly all there.
fn inspect<S, B, ResB>(
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
        mut exchange,
        asked,
        again,
    } = attempt;
    let Detection {
        found, over_limit, ..
    } = text.map(Detection::of).unwrap_or_default();
    exchange.left_out(&asked, over_limit);
    // A claim may end the sending of the first attempt's body, and with it the
    // connection: there has to be a reason, and the answer has to be read.
    let claims = text.is_some() && (!found.is_empty() || exchange.minds(response.status()));
    let replayable = again
        .as_ref()
        .is_some_and(|again| !claims || again.kept.claim());
    let waiting = exchange.decide(asked.clone(), response.status(), found, replayable);
    *state = State::Deciding {
        waiting: Box::pin(waiting),
        response,
        asked,
        again,
    };
    Poll::Ready(())
}
