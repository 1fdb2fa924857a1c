//! The clients: one session, and all adapters over it.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use fake_globus::EXPECT_USER;
use futures_util::stream;
use globus_gare::layer::{GareLayer, GareService, ReplayBody};
use globus_gare::reauth::{GareOptions, GareOutcome, Session};
use globus_gare::reqwest::GareMiddleware;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tower::{BoxError, Layer, ServiceExt};

use crate::logins::named;
use crate::plan::{Adapter, Body, KEPT, Plan, User};
use crate::proxy::{MADE_UP, NUMBER};

type Chunks = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;
type Sent = Either<Full<Bytes>, ReplayBody<Chunks>>;
type Tower = GareService<Client<HttpConnector, Sent>>;

#[derive(Clone)]
pub(crate) struct Clients {
    http1: Tower,
    http2: Tower,
    reqwest: ClientWithMiddleware,
}

/// A request that takes longer has stalled. No sequence of logins takes as long.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// The URLs and credentials of requests.
pub(crate) struct Urls {
    pub(crate) base: String,
    /// The collections' ids.
    pub(crate) collections: Vec<String>,
    /// The names of the users, and their first tokens.
    pub(crate) users: Vec<(HeaderValue, HeaderValue)>,
}

/// A response with its whole body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) is_made_up: bool,
    pub(crate) outcome: Option<GareOutcome>,
    pub(crate) body: Bytes,
}

/// The end of a request for its caller.
pub(crate) enum End {
    Answered(Answer),
    Failed(BoxError),
    Dropped,
    /// The request did not end within [`STALLED_AFTER`].
    Stalled,
}

fn tower(session: &Session, http2: bool) -> Tower {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(connector);
    GareLayer::from_session(session.clone()).layer(client)
}

impl Clients {
    pub(crate) fn of(session: &Session) -> Self {
        let middleware = GareMiddleware::from_session(session.clone()).replay_streams(KEPT);
        Self {
            http1: tower(session, false),
            http2: tower(session, true),
            reqwest: ClientBuilder::new(checks::browser::client())
                .with(middleware)
                .build(),
        }
    }

    /// Sends one request, and waits for its end.
    pub(crate) async fn run(&self, plan: &Plan, urls: &Urls) -> End {
        let answer = async {
            match plan.adapter {
                Adapter::TowerHttp1 => through_tower(self.http1.clone(), plan, urls).await,
                Adapter::TowerHttp2 => through_tower(self.http2.clone(), plan, urls).await,
                Adapter::Reqwest => through_reqwest(&self.reqwest, plan, urls).await,
            }
        };
        let drops_after = plan.drops_after.unwrap_or(STALLED_AFTER);
        match tokio::time::timeout(drops_after, answer).await {
            Ok(Ok(answer)) => End::Answered(answer),
            Ok(Err(error)) => End::Failed(error),
            Err(_elapsed) if plan.drops_after.is_some() => End::Dropped,
            Err(_elapsed) => End::Stalled,
        }
    }
}

async fn through_tower(client: Tower, plan: &Plan, urls: &Urls) -> Result<Answer, BoxError> {
    let body = match plan.body {
        Body::None | Body::Whole => Either::Left(Full::new(plan.bytes())),
        Body::Stream | Body::LongStream => {
            let chunks: Vec<_> = chunks(plan)
                .into_iter()
                .map(|chunk| Ok(Frame::data(chunk)))
                .collect();
            let body = StreamBody::new(stream::iter(chunks));
            Either::Right(ReplayBody::with_limit(body, KEPT))
        }
    };
    let mut request = Request::new(body);
    *request.method_mut() = method(plan);
    *request.uri_mut() = url(plan, urls).parse()?;
    *request.headers_mut() = headers(plan, urls);
    request.extensions_mut().insert(options(plan));
    let response = client.oneshot(request).await?;
    let (head, body) = response.into_parts();
    Ok(Answer {
        status: head.status,
        is_made_up: head.headers.contains_key(MADE_UP),
        outcome: head.extensions.get().cloned(),
        body: body.collect().await?.to_bytes(),
    })
}

async fn through_reqwest(
    client: &ClientWithMiddleware,
    plan: &Plan,
    urls: &Urls,
) -> Result<Answer, BoxError> {
    let mut request = client
        .request(method(plan), url(plan, urls))
        .headers(headers(plan, urls))
        .with_extension(options(plan));
    match plan.body {
        Body::None => {}
        Body::Whole => request = request.body(plan.bytes()),
        Body::Stream | Body::LongStream => {
            let chunks = chunks(plan).into_iter().map(Ok::<_, Infallible>);
            request = request.body(reqwest::Body::wrap_stream(stream::iter(chunks)));
        }
    }
    let mut response = request.send().await?;
    Ok(Answer {
        status: response.status(),
        is_made_up: response.headers().contains_key(MADE_UP),
        outcome: response.extensions_mut().remove(),
        body: response.bytes().await?,
    })
}

fn method(plan: &Plan) -> Method {
    if plan.body == Body::None {
        Method::GET
    } else {
        Method::POST
    }
}

fn url(plan: &Plan, urls: &Urls) -> String {
    let (base, id) = (&urls.base, &urls.collections[plan.collection]);
    let operation = if plan.body == Body::None {
        "ls"
    } else {
        "mkdir"
    };
    format!("{base}v0.10/operation/endpoint/{id}/{operation}")
}

fn headers(plan: &Plan, urls: &Urls) -> HeaderMap {
    let (name, token) = &urls.users[plan.user.number() as usize];
    let mut headers = HeaderMap::new();
    headers.insert(NUMBER, plan.number.into());
    headers.insert(EXPECT_USER, name.clone());
    if plan.body != Body::None {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let User::Presented(_) = plan.user {
        headers.insert(AUTHORIZATION, token.clone());
    }
    headers
}

fn options(plan: &Plan) -> GareOptions {
    let mut options = GareOptions::new();
    match plan.user {
        User::Named(user) => options = options.principal(named(user)),
        User::OneTime => options = options.principal(format!("one-time-{}", plan.number)),
        User::Own | User::Presented(_) => {}
    }
    if let Some(max_wait) = plan.max_wait {
        options = options.max_wait(max_wait);
    }
    if plan.no_prompt {
        options = options.no_prompt();
    }
    options
}

/// The body in chunks of 3,000 bytes.
fn chunks(plan: &Plan) -> Vec<Bytes> {
    let mut left = plan.bytes();
    let mut chunks = Vec::new();
    while !left.is_empty() {
        chunks.push(left.split_to(left.len().min(3_000)));
    }
    chunks
}

/// The text of an error and its causes.
pub(crate) fn with_causes(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
