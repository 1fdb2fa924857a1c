//! The clients that are compared.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
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

/// A client, and the name of the bare client below it.
pub struct Client {
    pub name: &'static str,
    pub over: &'static str,
    call: fn(String) -> Call,
}

/// The names of the clients of one protocol.
#[derive(Clone, Copy)]
pub struct Names {
    pub bare: &'static str,
    twin: &'static str,
    pub ours: &'static str,
    pub retry: &'static str,
}

pub const HTTP_1: Names = Names {
    bare: "hyper, HTTP/1.1",
    twin: "hyper, HTTP/1.1, once more",
    ours: "GareLayer, HTTP/1.1",
    retry: "tower Retry, HTTP/1.1",
};

pub const HTTP_2: Names = Names {
    bare: "hyper, HTTP/2",
    twin: "hyper, HTTP/2, once more",
    ours: "GareLayer, HTTP/2",
    retry: "tower Retry, HTTP/2",
};

const REQWEST: Names = Names {
    bare: "reqwest-middleware",
    twin: "reqwest-middleware, once more",
    ours: "GareMiddleware",
    retry: "reqwest-retry",
};

/// Sends one request, and reads the response.
type Call = Box<dyn FnMut() -> BoxFuture<'static, StatusCode>>;

type Hyper = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub fn all() -> Vec<Client> {
    let client = |name, names: Names, call| Client {
        name,
        over: names.bare,
        call,
    };
    vec![
        client(HTTP_1.bare, HTTP_1, |url| tower(hyper(false), url)),
        client(HTTP_1.twin, HTTP_1, |url| tower(hyper(false), url)),
        client(HTTP_1.ours, HTTP_1, |url| {
            tower(layer(&url).layer(hyper(false)), url)
        }),
        client(HTTP_1.retry, HTTP_1, |url| tower(retry(hyper(false)), url)),
        client(HTTP_2.bare, HTTP_2, |url| tower(hyper(true), url)),
        client(HTTP_2.twin, HTTP_2, |url| tower(hyper(true), url)),
        client(HTTP_2.ours, HTTP_2, |url| {
            tower(layer(&url).layer(hyper(true)), url)
        }),
        client(HTTP_2.retry, HTTP_2, |url| tower(retry(hyper(true)), url)),
        client(REQWEST.bare, REQWEST, |url| reqwest(|client| client, url)),
        client(REQWEST.twin, REQWEST, |url| reqwest(|client| client, url)),
        client(REQWEST.ours, REQWEST, |url| {
            let middleware = GareMiddleware::from_session(session(&url));
            reqwest(|client| client.with(middleware), url)
        }),
        client(REQWEST.retry, REQWEST, |url| {
            let policy = ExponentialBackoff::builder().build_with_max_retries(3);
            let middleware = RetryTransientMiddleware::new_with_policy(policy);
            reqwest(|client| client.with(middleware), url)
        }),
    ]
}

impl Client {
    /// A request to a server in the client's thread.
    pub fn case(&self) -> Case {
        let runtime = runtime();
        let mut call = runtime.block_on(async {
            let address = server::start().await;
            (self.call)(format!(
                "http://{address}/v0.10/operation/endpoint/2a0d28b8/mkdir"
            ))
        });
        Case::new(self.name, move || {
            assert_eq!(runtime.block_on(call()), StatusCode::OK);
        })
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn hyper(http2: bool) -> Hyper {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build(connector)
}

fn session(url: &str) -> Session {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("never")?) });
    Session::builder(login)
        .trust(Trust::none().origin(url).expect("an origin"))
        .build()
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
    *template.uri_mut() = url.parse().expect("a URI");
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
        .expect("a client");
    let client = wrap(ClientBuilder::new(plain)).build();
    let body = Bytes::from(vec![b'x'; request::BODY]);
    let template = client.post(url).headers(request::headers(true)).body(body);
    let template = template.build().expect("a request");
    Box::new(move || {
        let (client, request) = (
            client.clone(),
            template.try_clone().expect("a body in memory"),
        );
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
