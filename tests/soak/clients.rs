//! The clients: one session, and every adapter over it.

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

use crate::errand::{Body, Errand, KEPT, Way, Whose};
use crate::gate::{MADE_UP, NUMBER};
use crate::logins::named;

type Chunks = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;
type Sent = Either<Full<Bytes>, ReplayBody<Chunks>>;
type Tower = GareService<Client<HttpConnector, Sent>>;

#[derive(Clone)]
pub(crate) struct Clients {
    http1: Tower,
    http2: Tower,
    reqwest: ClientWithMiddleware,
}

/// Longer than any number of logins, one after another, may take.
const FOR_EVER: Duration = Duration::from_secs(60);

/// What a request needs to know beside its number.
pub(crate) struct Map {
    pub(crate) base: String,
    /// The collections' ids.
    pub(crate) places: Vec<String>,
    /// The users' names and the tokens that they began with.
    pub(crate) users: Vec<(HeaderValue, HeaderValue)>,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) is_made_up: bool,
    pub(crate) outcome: Option<GareOutcome>,
    pub(crate) body: Bytes,
}

/// How a request ended for its caller.
pub(crate) enum End {
    Answered(Answer),
    Failed(BoxError),
    Left,
    /// Its caller gave up on it.
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

    /// Runs one errand to its end.
    pub(crate) async fn run(&self, errand: &Errand, map: &Map) -> End {
        let answer = async {
            match errand.way {
                Way::TowerHttp1 => through_tower(self.http1.clone(), errand, map).await,
                Way::TowerHttp2 => through_tower(self.http2.clone(), errand, map).await,
                Way::Reqwest => through_reqwest(&self.reqwest, errand, map).await,
            }
        };
        let patience = errand.patience.unwrap_or(FOR_EVER);
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => End::Answered(answer),
            Ok(Err(error)) => End::Failed(error),
            Err(_elapsed) if errand.patience.is_some() => End::Left,
            Err(_elapsed) => End::Stalled,
        }
    }
}

async fn through_tower(client: Tower, errand: &Errand, map: &Map) -> Result<Answer, BoxError> {
    let body = match errand.body {
        Body::None | Body::Whole => Either::Left(Full::new(errand.bytes())),
        Body::Stream | Body::LongStream => {
            let chunks: Vec<_> = chunks(errand)
                .into_iter()
                .map(|chunk| Ok(Frame::data(chunk)))
                .collect();
            let body = StreamBody::new(stream::iter(chunks));
            Either::Right(ReplayBody::with_limit(body, KEPT))
        }
    };
    let mut request = Request::new(body);
    *request.method_mut() = method(errand);
    *request.uri_mut() = url(errand, map).parse()?;
    *request.headers_mut() = headers(errand, map);
    request.extensions_mut().insert(options(errand));
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
    errand: &Errand,
    map: &Map,
) -> Result<Answer, BoxError> {
    let mut request = client
        .request(method(errand), url(errand, map))
        .headers(headers(errand, map))
        .with_extension(options(errand));
    match errand.body {
        Body::None => {}
        Body::Whole => request = request.body(errand.bytes()),
        Body::Stream | Body::LongStream => {
            let chunks = chunks(errand).into_iter().map(Ok::<_, Infallible>);
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

fn method(errand: &Errand) -> Method {
    if errand.body == Body::None {
        Method::GET
    } else {
        Method::POST
    }
}

fn url(errand: &Errand, map: &Map) -> String {
    let (base, id) = (&map.base, &map.places[errand.place]);
    let operation = if errand.body == Body::None {
        "ls"
    } else {
        "mkdir"
    };
    format!("{base}v0.10/operation/endpoint/{id}/{operation}")
}

fn headers(errand: &Errand, map: &Map) -> HeaderMap {
    let (name, token) = &map.users[errand.whose.user() as usize];
    let mut headers = HeaderMap::new();
    headers.insert(NUMBER, errand.number.into());
    headers.insert(EXPECT_USER, name.clone());
    if errand.body != Body::None {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Whose::Presented(_) = errand.whose {
        headers.insert(AUTHORIZATION, token.clone());
    }
    headers
}

fn options(errand: &Errand) -> GareOptions {
    let mut options = GareOptions::new();
    match errand.whose {
        Whose::Named(user) => options = options.principal(named(user)),
        Whose::Passing => options = options.principal(format!("passing-{}", errand.number)),
        Whose::Own | Whose::Presented(_) => {}
    }
    if let Some(deadline) = errand.deadline {
        options = options.max_wait(deadline);
    }
    if errand.no_prompt {
        options = options.no_prompt();
    }
    options
}

/// The body in pieces of 3000 bytes.
fn chunks(errand: &Errand) -> Vec<Bytes> {
    let mut left = errand.bytes();
    let mut chunks = Vec::new();
    while !left.is_empty() {
        chunks.push(left.split_to(left.len().min(3_000)));
    }
    chunks
}

/// An error with all that caused it.
pub(crate) fn told(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
