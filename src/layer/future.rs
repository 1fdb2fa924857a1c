use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Method, Request, Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Limits;
use super::template::{Template, authorize};
use super::{GareBody, ReplayableBody};
use crate::body::Inspection;
use crate::gare::detect;
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
        Deciding { waiting: Waiting, response: Response<GareBody<ResB>>, service: S, template: Option<Template<B>> },
        // There is a credential, or a newer one: the service is made ready for it.
        Readying { request: Box<Request<B>>, attempt: Attempt<S, B> },
        Done,
    }
}

/// What waits for a credential.
struct Unsent<S, B> {
    request: Request<B>,
    service: S,
    template: Option<Template<B>>,
}

/// What is kept while a request is under way.
struct Attempt<S, B> {
    exchange: Exchange,
    service: S,
    template: Option<Template<B>>,
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
        service: S,
        request: Request<B>,
        mut exchange: Exchange,
        limits: Limits,
    ) -> Self {
        let (template, presented) = Template::of(&request);
        exchange.present(presented);
        let state = match exchange.ready() {
            Some(header) => send(request, header, service, exchange, template),
            // A service that is ready may hold a permit or a place in a queue, which
            // whoever gets the credential may need: it is given back meanwhile.
            None => State::Preparing {
                waiting: Box::pin(exchange.prepare()),
                unsent: Box::new(Unsent {
                    request,
                    service: service.clone(),
                    template,
                }),
            },
        };
        Self { state, limits }
    }
}

/// Sends a request for the first time. The service is ready.
#[inline]
fn send<S, B, ResB>(
    mut request: Request<B>,
    header: Option<HeaderValue>,
    mut service: S,
    exchange: Exchange,
    template: Option<Template<B>>,
) -> State<S, B, S::Future, ResB>
where
    S: Service<Request<B>>,
    ResB: Body,
{
    if let Some(value) = header {
        authorize(&mut request, value);
    }
    let future = service.call(request);
    State::Calling {
        future,
        attempt: Attempt {
            exchange,
            service,
            template,
        },
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
                    let answer = ready!(future.poll(cx));
                    let untrusted = untrusted.take();
                    this.state.set(State::Done);
                    let max_inspect = this.limits.max_inspect;
                    return Poll::Ready(
                        answer.map(|response| stand_aside(response, untrusted, max_inspect)),
                    );
                }
                StateProjection::Calling { future, attempt } => match ready!(future.poll(cx)) {
                    Ok(response)
                        if attempt
                            .exchange
                            .concerns(&response, this.limits.max_inspect) =>
                    {
                        Event::Answered(response)
                    }
                    answer => {
                        let exchange = &mut attempt.exchange;
                        let answer = answer
                            .map(|response| finish(exchange, response.map(GareBody::untouched)));
                        this.state.set(State::Done);
                        return Poll::Ready(answer);
                    }
                },
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
                        template,
                    } = *unsent;
                    if let Some(value) = header {
                        authorize(&mut request, value);
                    }
                    State::Readying {
                        request: Box::new(request),
                        attempt: Attempt {
                            exchange,
                            service,
                            template,
                        },
                    }
                }
                (StateTaken::Calling { attempt, .. }, Event::Answered(response)) => {
                    let limits = *this.limits;
                    if may_ask(attempt.exchange.method(), &response, limits.max_inspect) {
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
                        template,
                        ..
                    },
                    Event::Decided(mut exchange, header),
                ) => match (header, template) {
                    (Some(header), Some(template)) if template.claim() => {
                        let (request, template) = template.with(header, &exchange);
                        State::Readying {
                            request: Box::new(request),
                            attempt: Attempt {
                                exchange,
                                service,
                                template,
                            },
                        }
                    }
                    (header, _) => {
                        if header.is_some() {
                            exchange.not_replayable();
                        }
                        return Poll::Ready(Ok(finish(&mut exchange, response)));
                    }
                },
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

/// What a state waited for.
#[expect(clippy::large_enum_variant, reason = "lives for one turn of the loop")]
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
        template,
    } = attempt;
    let found = text.map(detect).unwrap_or_default();
    // A claim may end the sending of the first attempt's body, and with it the
    // connection: there has to be a reason, and the answer has to be read.
    let claims = text.is_some() && (!found.is_empty() || exchange.minds(response.status()));
    let replayable = template
        .as_ref()
        .is_some_and(|template| !claims || template.claim());
    let waiting = Box::pin(exchange.decide(response.status(), found, replayable));
    State::Deciding {
        waiting,
        response,
        service,
        template,
    }
}

fn finish<ResB: Body>(
    exchange: &mut Exchange,
    mut response: Response<GareBody<ResB>>,
) -> Response<GareBody<ResB>> {
    exchange.finish(response.status(), response.extensions_mut());
    response
}

/// An answer that was not ours to look at; of an untrusted one that might ask
/// for something the caller is told.
fn stand_aside<ResB: Body>(
    response: Response<ResB>,
    untrusted: Option<Session>,
    max_inspect: usize,
) -> Response<GareBody<ResB>> {
    // Its request's method is gone by now; the answer to a HEAD is told of as well.
    let told = untrusted.filter(|_| may_ask(&Method::GET, &response, max_inspect));
    let mut response = response.map(GareBody::untouched);
    if let Some(session) = told {
        response.extensions_mut().insert(session.untrusted());
    }
    response
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
