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
use super::{GareBody, ReplayableBody};
use crate::body::Inspection;
use crate::gare::detect;
use crate::kept_headers::authorize;
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
        Deciding { waiting: Waiting, response: Box<Response<GareBody<ResB>>>, service: S, kept: Kept<B> },
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
            // First what the state waits for; then, with the state taken, what follows.
            let event = match this.state.as_mut().project() {
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
                    if !attempt.minds(&response, this.limits.max_inspect) {
                        let status = response.status();
                        attempt.exchange.finish(status, response.extensions_mut());
                        this.state.set(State::Done);
                        return Poll::Ready(Ok(response.map(GareBody::untouched)));
                    }
                    Event::Answered(response)
                }
                StateProjection::Preparing { waiting, .. }
                | StateProjection::Deciding { waiting, .. } => {
                    let (exchange, header) = ready!(waiting.as_mut().poll(cx));
                    Event::Decided(exchange, header)
                }
                StateProjection::Readying { attempt, .. } => {
                    Event::Ready(ready!(attempt.service.poll_ready(cx)))
                }
                StateProjection::Inspecting { .. } => Event::Readable,
                // As every future, this one is not to be polled after it is done.
                StateProjection::Done => return Poll::Pending,
            };
            let next = match (this.state.as_mut().project_replace(State::Done), event) {
                (StateTaken::Preparing { unsent, .. }, Event::Decided(exchange, header)) => {
                    let Unsent {
                        mut request,
                        service,
                        kept,
                    } = *unsent;
                    if let Some(value) = header {
                        authorize(request.headers_mut(), value);
                    }
                    State::Readying {
                        request: Box::new(request),
                        attempt: Attempt {
                            exchange,
                            service,
                            kept,
                        },
                    }
                }
                (StateTaken::Calling { attempt, .. }, Event::Answered(response)) => {
                    let limits = *this.limits;
                    if may_ask(attempt.kept.method(), &response, limits.max_inspect) {
                        let (head, body) = response.into_parts();
                        let inspection =
                            Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
                        State::Inspecting {
                            inspection: Box::new(inspection),
                            head: Box::new(head),
                            attempt,
                        }
                    } else {
                        decide(attempt, response.map(GareBody::untouched), None)
                    }
                }
                (
                    StateTaken::Inspecting {
                        inspection,
                        head,
                        attempt,
                    },
                    _,
                ) => match inspection.poll_read(cx) {
                    Err(inspection) => {
                        this.state.set(State::Inspecting {
                            inspection,
                            head,
                            attempt,
                        });
                        return Poll::Pending;
                    }
                    Ok(inspected) => decide(
                        attempt,
                        Response::from_parts(*head, inspected.body),
                        inspected.text.as_deref(),
                    ),
                },
                (
                    StateTaken::Deciding {
                        response,
                        service,
                        kept,
                        ..
                    },
                    Event::Decided(mut exchange, header),
                ) => {
                    let wanted = header.is_some();
                    let again = header
                        .filter(|_| kept.claim())
                        .and_then(|header| kept.with(header, &exchange));
                    match again {
                        Some((request, kept)) => State::Readying {
                            request: Box::new(request),
                            attempt: Attempt {
                                exchange,
                                service,
                                kept,
                            },
                        },
                        None => {
                            if wanted {
                                exchange.not_replayable();
                            }
                            let mut response = *response;
                            exchange.finish(response.status(), response.extensions_mut());
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                (
                    StateTaken::Readying {
                        request,
                        mut attempt,
                    },
                    Event::Ready(Ok(())),
                ) => {
                    let future = attempt.service.call(*request);
                    State::Calling { future, attempt }
                }
                (_, Event::Ready(Err(error))) => return Poll::Ready(Err(error)),
                _ => return Poll::Pending,
            };
            this.state.set(next);
        }
    }
}

impl<S, B: ReplayableBody> Attempt<S, B> {
    /// Whether there is anything to be done about an answer: mostly not.
    #[inline]
    fn minds<ResB: Body>(&mut self, response: &Response<ResB>, max_inspect: usize) -> bool {
        let kept = &self.kept;
        let minded =
            may_ask(kept.method(), response, max_inspect) || self.exchange.minds(response.status());
        minded && self.exchange.hears(response.extensions(), || kept.asked())
    }
}

/// What a state waited for.
enum Event<A, E> {
    Answered(A),
    Decided(Exchange, Option<HeaderValue>),
    Ready(Result<(), E>),
    Readable,
}

fn decide<S, B, F, ResB>(
    attempt: Attempt<S, B>,
    response: Response<GareBody<ResB>>,
    text: Option<&[u8]>,
) -> State<S, B, F, ResB>
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
    State::Deciding {
        waiting: Box::pin(waiting),
        response: Box::new(response),
        service,
        kept,
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
