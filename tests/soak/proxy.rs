//! A proxy between the clients and `FakeGlobus`. It counts requests, and makes faults.

use std::convert::Infallible;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tower::BoxError;

use crate::ledger::Ledger;
use crate::plan::{Fault, Plan};

/// The request's number.
pub(crate) const NUMBER: &str = "x-soak-number";
/// Marks a response that the proxy made up.
pub(crate) const MADE_UP: &str = "x-soak-made-up";

type Answer = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    listening: AbortHandle,
}

#[derive(Clone)]
struct Handler {
    ledger: Arc<Ledger>,
    service: Client<HttpConnector, Full<Bytes>>,
    address: String,
    /// Ends the connection of the request.
    reset: Arc<Notify>,
}

impl Proxy {
    /// Starts a proxy for the service at `address`, on the current runtime.
    pub(crate) fn open(ledger: Arc<Ledger>, address: String) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // A dropped connection drops its unsent data, and resets the client.
        socket.set_zero_linger()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1024)?;
        let handler = Handler {
            ledger,
            service: service(),
            address,
            reset: Arc::default(),
        };
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                // Each connection has a client of its own, so that both close together.
                let handler = Handler {
                    service: service(),
                    reset: Arc::default(),
                    ..handler.clone()
                };
                connections.spawn(serve(stream, handler));
            }
        });
        Ok(Self {
            address,
            listening: listening.abort_handle(),
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn service() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn serve(stream: TcpStream, handler: Handler) {
    let reset = Arc::clone(&handler.reset);
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| handler.clone().pass(request));
    let server = Builder::new(TokioExecutor::new());
    let serving = server.serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        _ = serving => {}
        () = reset.notified() => {}
    }
}

impl Handler {
    async fn pass(self, request: Request<Incoming>) -> Result<Response<Answer>, BoxError> {
        let number = request.headers()[NUMBER].to_str()?.parse()?;
        let plan = Plan::of(number);
        let arrival = self.ledger.arrived(number);
        let is_http1 = request.version() < Version::HTTP_2;
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if body != plan.bytes() {
            self.ledger.changed(number);
        }
        let fault = plan.fault(arrival);
        match fault {
            Some(Fault::Status(status)) => {
                self.ledger.made_up(number);
                return Ok(made_up(number, StatusCode::from_u16(status)?));
            }
            Some(Fault::LostBefore) => return self.lose(&plan, is_http1).await,
            _ => {}
        }
        let answer = self.ask(head, body).await?;
        let (status, body) = (answer.status(), answer.body());
        if status.is_success() || says(body, "MkdirFailed.Exists") {
            self.ledger.carried_out(number);
        }
        match fault {
            Some(Fault::LostAfter) => self.lose(&plan, is_http1).await,
            Some(Fault::LostWithin) => Ok(self.lose_the_rest(&plan, is_http1, answer)),
            _ => Ok(answer.map(whole)),
        }
    }

    /// Sends the request to the service.
    async fn ask(
        &self,
        mut head: http::request::Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, BoxError> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = Uri::try_from(format!("http://{}{path}", self.address))?;
        head.version = Version::HTTP_11;
        head.headers.remove(HOST);
        head.headers.remove("transfer-encoding");
        let request = Request::from_parts(head, Full::new(body));
        let (head, body) = self.service.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut answer = Response::new(body);
        *answer.status_mut() = head.status;
        let kind = head.headers.get(CONTENT_TYPE).cloned();
        answer
            .headers_mut()
            .extend(kind.map(|kind| (CONTENT_TYPE, kind)));
        Ok(answer)
    }

    async fn lose(&self, plan: &Plan, is_http1: bool) -> Result<Response<Answer>, BoxError> {
        self.ledger.lost(plan.number);
        if plan.resets_connection(is_http1) {
            self.reset(is_http1).await;
        }
        // This error resets only the stream.
        Err("lost on purpose".into())
    }

    fn lose_the_rest(
        self,
        plan: &Plan,
        is_http1: bool,
        answer: Response<Bytes>,
    ) -> Response<Answer> {
        self.ledger.lost(plan.number);
        let resets_connection = plan.resets_connection(is_http1);
        answer.map(|body| {
            let half = body.slice(..body.len() / 2);
            let lost = async move {
                if resets_connection {
                    self.reset(is_http1).await;
                }
                Err::<Frame<Bytes>, BoxError>("lost on purpose".into())
            };
            let first = stream::iter([Ok(Frame::data(half))]);
            let both = futures_util::StreamExt::chain(first, stream::once(lost));
            StreamBody::new(both).boxed_unsync()
        })
    }

    /// Ends the connection, and this future with it.
    async fn reset(&self, is_http1: bool) -> Infallible {
        if !is_http1 {
            self.ledger.resets.fetch_add(1, SeqCst);
        }
        self.reset.notify_one();
        pending().await
    }
}

pub(crate) fn says(body: &[u8], what: &str) -> bool {
    memchr::memmem::find(body, what.as_bytes()).is_some()
}

/// The text of a made-up response. The caller must get the same bytes.
pub(crate) fn made_up_text(number: u32) -> String {
    format!(r#"{{"code": "MadeUp", "message": "request {number} failed on purpose"}}"#)
}

fn made_up(number: u32, status: StatusCode) -> Response<Answer> {
    let mut answer = Response::new(whole(made_up_text(number).into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(MADE_UP, http::HeaderValue::from_static("yes"));
    headers.insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    answer
}

fn whole(body: Bytes) -> Answer {
    Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync()
}
