//! The clients: each with and without the layer or middleware, over HTTP/1 and HTTP/2.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::layer::{GareLayer, ReplayBody};
use globus_gare::reauth::{Credential, GareOutcome, Session, Trust, reauth_fn};
use globus_gare::reqwest::{GareMiddleware, HttpService};
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt, Either, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientBuilder;
use tower::{Layer, Service, ServiceExt};

use super::source::{Source, Step};
use crate::support::server::{Answer, BoxError};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transport {
    Http1,
    Http2,
}

#[derive(Clone, Debug)]
pub(crate) enum Upload {
    Memory(Bytes),
    /// A replayable stream, with a known length or without.
    Stream(Vec<Step>, bool),
}

/// A response as a caller sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct Got {
    pub(crate) version: Version,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) length: Option<u64>,
    pub(crate) data: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) broke: bool,
}

/// The outcome, if there is one: the name of the reason that we gave up, or `None`.
pub(crate) type Outcome = Option<Option<&'static str>>;

/// The most bytes that are read of a body.
const MAX_READ: usize = 1024 * 1024;

/// Reads a response.
pub(crate) async fn read(response: Answer) -> (Got, Outcome) {
    let outcome = response.extensions().get::<GareOutcome>();
    let outcome = outcome.map(|outcome| outcome.gave_up().map(|gave_up| gave_up.name()));
    let (mut head, mut body) = response.into_parts();
    head.headers.remove("date");
    let length = body.size_hint().exact();
    let (mut data, mut trailers, mut broke) = (Vec::new(), None, false);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            broke = true;
            break;
        };
        match frame.into_data() {
            Ok(piece) => data.extend_from_slice(&piece),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
        if data.len() >= MAX_READ {
            data.truncate(MAX_READ);
            break;
        }
    }
    let got = Got {
        version: head.version,
        status: head.status,
        headers: head.headers,
        length,
        data: data.into(),
        trailers,
        broke,
    };
    (got, outcome)
}

/// A session whose logins return `Bearer fresh`, and their count.
pub(crate) struct Login {
    session: Session,
    logins: Arc<AtomicUsize>,
    patience: Duration,
}

impl Login {
    pub(crate) fn new() -> Self {
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&logins);
        let login = reauth_fn(move |_| {
            counted.fetch_add(1, SeqCst);
            async { Ok(Credential::bearer("fresh")?) }
        });
        Self {
            session: Session::builder(login)
                .trust(Trust::none().loopback())
                .build(),
            logins,
            patience: Duration::from_secs(600),
        }
    }

    /// Does not wait for a response body that is slow.
    pub(crate) fn impatient() -> Self {
        Self {
            patience: Duration::ZERO,
            ..Self::new()
        }
    }

    pub(crate) fn logins(&self) -> usize {
        self.logins.load(SeqCst)
    }

    pub(crate) fn layer(&self) -> GareLayer {
        GareLayer::from_session(self.session.clone()).inspect_timeout(self.patience)
    }

    pub(crate) fn middleware(&self) -> GareMiddleware {
        GareMiddleware::from_session(self.session.clone()).inspect_timeout(self.patience)
    }
}

pub(crate) type Outgoing = Either<Full<Bytes>, ReplayBody<Source>>;

fn outgoing(upload: Upload) -> Outgoing {
    match upload {
        Upload::Memory(data) => Either::Left(Full::new(data)),
        Upload::Stream(steps, sized) => Either::Right(ReplayBody::new(Source::of(steps, sized))),
    }
}

/// A client of requests.
pub(crate) trait Client {
    fn new(transport: Transport) -> Self;

    /// Sends a request. Without `login`, the client has no layer and no middleware.
    fn send(&self, request: Request<Upload>, login: Option<&Login>)
    -> impl Future<Output = Answer>;
}

/// Sends a request with a tower client.
async fn send<S, B>(service: S, request: Request<Upload>, login: Option<&Login>) -> Answer
where
    S: Service<Request<Outgoing>, Response = Response<B>, Error: std::fmt::Debug, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError> + Send + Sync> + Send + Sync + 'static,
{
    let request = request.map(outgoing);
    match login {
        None => boxed(service.oneshot(request).await.expect("a response")),
        Some(login) => {
            let layered = login.layer().layer(service);
            boxed(layered.oneshot(request).await.expect("a response"))
        }
    }
}

fn boxed<B>(response: Response<B>) -> Answer
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
{
    response.map(|body| BodyExt::boxed(body.map_err(Into::into)))
}

pub(crate) struct Hyper(legacy::Client<HttpConnector, Outgoing>);

impl Client for Hyper {
    fn new(transport: Transport) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .http2_only(transport == Transport::Http2)
            .build_http();
        Self(client)
    }

    async fn send(&self, request: Request<Upload>, login: Option<&Login>) -> Answer {
        send(self.0.clone(), request, login).await
    }
}

fn reqwest_client(transport: Transport) -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().no_gzip();
    let builder = match transport {
        Transport::Http1 => builder,
        Transport::Http2 => builder.http2_prior_knowledge(),
    };
    builder.build().expect("a client")
}

pub(crate) struct ReqwestService(HttpService);

impl Client for ReqwestService {
    fn new(transport: Transport) -> Self {
        Self(reqwest_client(transport).into())
    }

    async fn send(&self, request: Request<Upload>, login: Option<&Login>) -> Answer {
        send(self.0.clone(), request, login).await
    }
}

pub(crate) struct ReqwestMiddleware(reqwest::Client);

impl Client for ReqwestMiddleware {
    fn new(transport: Transport) -> Self {
        Self(reqwest_client(transport))
    }

    async fn send(&self, request: Request<Upload>, login: Option<&Login>) -> Answer {
        let mut builder = ClientBuilder::new(self.0.clone());
        if let Some(login) = login {
            builder = builder.with(login.middleware().replay_streams(64 * 1024));
        }
        let request = request.map(|upload| match upload {
            Upload::Memory(data) => reqwest::Body::from(data),
            Upload::Stream(steps, sized) => reqwest::Body::wrap(Source::of(steps, sized)),
        });
        let request = request.try_into().expect("a request");
        let response = builder.build().execute(request).await.expect("a response");
        boxed(Response::<reqwest::Body>::from(response))
    }
}
