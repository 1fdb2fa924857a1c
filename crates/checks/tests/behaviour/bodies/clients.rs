//! The clients: each with and without us, over HTTP/1 and HTTP/2.

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
    /// With a length or without, in a body that is kept.
    Stream(Vec<Step>, bool),
}

/// What a caller sees of a response.
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

/// The outcome's refusal, if there is an outcome.
pub(crate) type Told = Option<Option<&'static str>>;

/// Bytes after which a caller has seen enough of a body.
const ENOUGH: usize = 1024 * 1024;

/// Reads a response.
pub(crate) async fn see(response: Answer) -> (Got, Told) {
    let outcome = response.extensions().get::<GareOutcome>();
    let told = outcome.map(|outcome| outcome.gave_up().map(|refusal| refusal.name()));
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
        if data.len() >= ENOUGH {
            data.truncate(ENOUGH);
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
    (got, told)
}

/// A session whose every login gives `Bearer fresh`.
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

    /// Waits for no answer that does not come at once.
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

/// Somebody's client.
pub(crate) trait Client {
    fn new(transport: Transport) -> Self;

    /// Without `login`, as if we were not there.
    fn send(&self, request: Request<Upload>, login: Option<&Login>)
    -> impl Future<Output = Answer>;
}

/// What the tower clients have in common.
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
