use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::kept::{Kept, authorize};
use super::layer::Limits;
use super::{GareBody, ReplayableBody};
use crate::body::{Held, Inspection};
use crate::gare::detect;
use crate::reauth::{Exchange, Header, Session, may_ask};

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
    enum State<S, B, F, ResB>
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
struct Unsent<S, B> {
    request: Request<B>,
    service: S,
    kept: Kept<B>,
}

/// What is kept while a request is under way.
struct Attempt<S, B> {
    exchange: Exchange,
    service: S,
    kept: Kept<B>,
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

    #[inline]
    pub(super) fn through(
        mut service: S,
        mut request: Request<B>,
        mut exchange: Exchange,
        limits: Limits,
    ) -> Self {
        let kept = Kept::of(&request);
        let header = match exchange.present(kept.presented(), request.uri()) {
            Header::AsItCame => None,
            Header::Issued(value) => Some(value),
            // A service that is ready may hold a permit or a place in a queue, which
            // whoever gets the credential may need: it is given back meanwhile.
            Header::Awaited => {
                let state = State::Preparing {
                    waiting: Box::pin(exchange.prepare(kept.asked())),
                    unsent: Box::new(Unsent {
                        request,
                        service: service.clone(),
                        kept,
                    }),
                };
                return Self { state, limits };
            }
        };
        if let Some(value) = header {
            authorize(&mut request, value);
        }
        Self {
            state: State::Calling {
                future: service.call(request),
                attempt: Attempt {
                    exchange,
                    service,
                    kept,
                },
            },
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
            // First what the state waits for; then, with the state taken, what follows.
            let next = match this.state.as_mut().project() {
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
                    match this.state.as_mut().project_replace(State::Done) {
                        StateTaken::Calling { attempt, .. } => {
                            let state = this.state.as_mut();
                            inspect(state, attempt, response, asks, *this.limits, cx)
                        }
                        _ => return Poll::Pending,
                    }
                }
                StateProjection::Inspecting { inspection, .. } => {
                    let end = ready!(inspection.poll_end(cx));
                    match this.state.as_mut().project_replace(State::Done) {
                        StateTaken::Inspecting {
                            inspection,
                            head,
                            attempt,
                        } => {
                            let read = inspection.give_back(end);
                            inspected(this.state.as_mut(), attempt, *head, read)
                        }
                        _ => return Poll::Pending,
                    }
                }
                StateProjection::Preparing { waiting, .. }
                | StateProjection::Deciding { waiting, .. } => {
                    let (mut exchange, header) = ready!(waiting.as_mut().poll(cx));
                    match this.state.as_mut().project_replace(State::Done) {
                        StateTaken::Preparing { unsent, .. } => {
                            let Unsent {
                                mut request,
                                service,
                                kept,
                            } = *unsent;
                            if let Some(value) = header {
                                authorize(&mut request, value);
                            }
                            let attempt = Attempt {
                                exchange,
                                service,
                                kept,
                            };
                            attempt.call(this.state.as_mut(), request, cx)
                        }
                        StateTaken::Deciding {
                            response,
                            service,
                            kept,
                            ..
                        } => {
                            let wanted = header.is_some();
                            let again = header
                                .filter(|_| kept.claim())
                                .and_then(|header| kept.with(header));
                            let Some((request, kept)) = again else {
                                if wanted {
                                    exchange.not_replayable();
                                }
                                let mut response = *response;
                                exchange.finish(response.status(), response.extensions_mut());
                                return Poll::Ready(Ok(response.map(GareBody::inspected)));
                            };
                            drop(response);
                            let attempt = Attempt {
                                exchange,
                                service,
                                kept,
                            };
                            attempt.call(this.state.as_mut(), request, cx)
                        }
                        _ => return Poll::Pending,
                    }
                }
                StateProjection::Readying { attempt, .. } => {
                    let ready = ready!(attempt.service.poll_ready(cx));
                    match (this.state.as_mut().project_replace(State::Done), ready) {
                        (_, Err(error)) => Next::Fail(error),
                        (StateTaken::Readying { request, attempt }, Ok(())) => {
                            attempt.called(this.state.as_mut(), *request)
                        }
                        _ => return Poll::Pending,
                    }
                }
                // As every future, this one is not to be polled after it is done.
                StateProjection::Done => return Poll::Pending,
            };
            match next {
                Next::Poll => {}
                Next::Wait => return Poll::Pending,
                Next::Fail(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// What is done about the state that comes after one: it is put into its place where it is made, for it is large.
enum Next<E> {
    Poll,
    /// What it waits for was polled already.
    Wait,
    Fail(E),
}

impl<S, B: ReplayableBody> Attempt<S, B> {
    fn may_ask<ResB: Body>(&self, response: &Response<ResB>, max_inspect: usize) -> bool {
        may_ask(self.kept.method(), response, max_inspect)
    }

    /// Whether there is anything to be done about an answer that asks for something or not: mostly not.
    fn minds<ResB>(&mut self, response: &Response<ResB>, asks: bool) -> bool {
        let kept = &self.kept;
        let minded = asks || self.exchange.minds(response.status());
        minded && self.exchange.hears(response.extensions(), || kept.asked())
    }
}

impl<S: Service<Request<B>>, B> Attempt<S, B> {
    /// The service is made ready, and called; mostly both at once.
    fn call<ResB: Body>(
        mut self,
        mut state: Pin<&mut State<S, B, S::Future, ResB>>,
        request: Request<B>,
        cx: &mut Context<'_>,
    ) -> Next<S::Error> {
        match self.service.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.called(state, request),
            Poll::Ready(Err(error)) => Next::Fail(error),
            Poll::Pending => {
                state.set(State::Readying {
                    request: Box::new(request),
                    attempt: self,
                });
                Next::Wait
            }
        }
    }

    fn called<ResB: Body>(
        mut self,
        mut state: Pin<&mut State<S, B, S::Future, ResB>>,
        request: Request<B>,
    ) -> Next<S::Error> {
        let future = self.service.call(request);
        let attempt = self;
        state.set(State::Calling { future, attempt });
        Next::Poll
    }
}

/// Reads what there is of an answer's body; it is mostly all there.
fn inspect<S, B, F, ResB, E>(
    mut state: Pin<&mut State<S, B, F, ResB>>,
    attempt: Attempt<S, B>,
    response: Response<ResB>,
    asks: bool,
    limits: Limits,
    cx: &mut Context<'_>,
) -> Next<E>
where
    B: ReplayableBody,
    ResB: Body,
{
    if !asks {
        return decide(state, attempt, Box::new(response.map(Held::unread)), None);
    }
    let (head, body) = response.into_parts();
    let mut inspection = Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
    match inspection.poll_end(cx) {
        Poll::Ready(end) => inspected(state, attempt, head, inspection.give_back(end)),
        Poll::Pending => {
            state.set(State::Inspecting {
                inspection: Box::new(inspection),
                head: Box::new(head),
                attempt,
            });
            Next::Wait
        }
    }
}

fn inspected<S, B, F, ResB, E>(
    state: Pin<&mut State<S, B, F, ResB>>,
    attempt: Attempt<S, B>,
    head: response::Parts,
    (text, held): (Option<Bytes>, Held<ResB>),
) -> Next<E>
where
    B: ReplayableBody,
    ResB: Body,
{
    let response = Box::new(Response::from_parts(head, held));
    decide(state, attempt, response, text.as_deref())
}

fn decide<S, B, F, ResB, E>(
    mut state: Pin<&mut State<S, B, F, ResB>>,
    attempt: Attempt<S, B>,
    response: Box<Response<Held<ResB>>>,
    text: Option<&[u8]>,
) -> Next<E>
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
    state.set(State::Deciding {
        waiting: Box::pin(waiting),
        response,
        service,
        kept,
    });
    Next::Poll
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
