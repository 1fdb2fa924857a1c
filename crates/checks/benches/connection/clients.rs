//! The clients that are compared.

use std::net::SocketAddr;
use std::sync::mpsc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use tokio::runtime::{Builder, Runtime};
use tower::retry::Retry;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use checks::bench::Case;
use checks::bench::retry::Cloning;
use checks::bench::{request, server};

/// A client, and the name of the one that it is built on.
pub struct Stack {
    pub name: &'static str,
    pub over: &'static str,
    call: fn(String) -> Call,
}

/// Sends one request and reads the answer.
type Call = Box<dyn FnMut() -> BoxFuture<'static, StatusCode>>;

type Hyper = Client<HttpConnector, Full<Bytes>>;

const HYPER_1: &str = "hyper, HTTP/1.1";
const HYPER_2: &str = "hyper, HTTP/2";
const REQWEST: &str = "reqwest-middleware";

impl Stack {
    pub fn all() -> Vec<Self> {
        let stack = |name, over, call| Self { name, over, call };
        vec![
            stack(HYPER_1, HYPER_1, |url| tower(hyper(false), url)),
            stack("the same once more", HYPER_1, |url| {
                tower(hyper(false), url)
            }),
            stack("globus-gare over it", HYPER_1, |url| {
                tower(layer(&url).layer(hyper(false)), url)
            }),
            stack("tower Retry over it", HYPER_1, |url| {
                tower(retry(hyper(false)), url)
            }),
            stack(HYPER_2, HYPER_2, |url| tower(hyper(true), url)),
            stack("the same once more ", HYPER_2, |url| {
                tower(hyper(true), url)
            }),
            stack("globus-gare over it ", HYPER_2, |url| {
                tower(layer(&url).layer(hyper(true)), url)
            }),
            stack("tower Retry over it ", HYPER_2, |url| {
                tower(retry(hyper(true)), url)
            }),
            stack(REQWEST, REQWEST, |url| reqwest(|client| client, url)),
            stack("the same once more  ", REQWEST, |url| {
                reqwest(|client| client, url)
            }),
            stack("globus-gare in it", REQWEST, |url| {
                let session = session(&url);
                reqwest(
                    |client| client.with(GareMiddleware::from_session(session)),
                    url,
                )
            }),
            stack("reqwest-retry in it", REQWEST, |url| {
                let policy = ExponentialBackoff::builder().build_with_max_retries(3);
                reqwest(
                    |client| client.with(RetryTransientMiddleware::new_with_policy(policy)),
                    url,
                )
            }),
        ]
    }

    /// With the server in the client's own thread, or the one at `apart`.
    pub fn case(&self, apart: Option<SocketAddr>) -> Case {
        let runtime = runtime();
        let mut call = runtime.block_on(async {
            let address = match apart {
                Some(address) => address,
                None => server::start().await,
            };
            (self.call)(format!(
                "http://{address}/v0.10/operation/endpoint/2a0d28b8/mkdir"
            ))
        });
        Case::new(self.name, move || {
            assert_eq!(runtime.block_on(call()), StatusCode::OK);
        })
    }
}

/// A server in a thread and a runtime of its own, until the program ends.
pub fn server_apart() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async move {
            tell.send(server::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn hyper(http2: bool) -> Hyper {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(connector)
}

fn session(url: &str) -> Session {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("never")?) });
    Session::new(login).trust(Trust::none().origin(url).unwrap())
}

fn layer(url: &str) -> GareLayer {
    GareLayer::from_session(session(url))
}

fn retry(client: Hyper) -> Retry<Cloning, Hyper> {
    ServiceBuilder::new().retry(Cloning).service(client)
}

fn tower<S, B>(service: S, url: String) -> Call
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Send, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Send> + Send + 'static,
{
    let mut template = request::build(true, |body| body);
    *template.uri_mut() = url.parse().unwrap();
    Box::new(move || {
        let (service, request) = (service.clone(), template.clone());
        Box::pin(async move {
            let Ok(answer) = service.oneshot(request).await else {
                return StatusCode::BAD_GATEWAY;
            };
            let status = answer.status();
            let _ = answer.into_body().collect().await;
            status
        })
    })
}

fn reqwest(wrap: impl FnOnce(ClientBuilder) -> ClientBuilder, url: String) -> Call {
    let plain = reqwest::Client::builder()
        .no_proxy()
        .tcp_nodelay(true)
        .build()
        .unwrap();
    let client = wrap(ClientBuilder::new(plain)).build();
    let body = Bytes::from(vec![b'x'; request::BODY]);
    let template = client.post(url).headers(request::headers(true)).body(body);
    let template = template.build().unwrap();
    Box::new(move || {
        let (client, request) = (client.clone(), template.try_clone().unwrap());
        Box::pin(async move {
            let Ok(answer) = client.execute(request).await else {
                return StatusCode::BAD_GATEWAY;
            };
            let status = answer.status();
            let _ = answer.bytes().await;
            status
        })
    })
}
