//! What stands between the clients and `FakeGlobus`: passes requests on, counts them, and loses some.

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

use crate::errand::{Errand, Fault};
use crate::ledger::Ledger;

/// The request's number.
pub(crate) const NUMBER: &str = "x-soak-number";
/// Says of an answer that the gate made it up.
pub(crate) const MADE_UP: &str = "x-soak-made-up";

type Answer = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    listening: AbortHandle,
}

#[derive(Clone)]
struct Keeper {
    ledger: Arc<Ledger>,
    service: Client<HttpConnector, Full<Bytes>>,
    address: String,
    /// Ends the connection that the request came by.
    cut: Arc<Notify>,
}

impl Gate {
    /// Opens a gate to the service at `address`, on tasks of the current runtime.
    pub(crate) fn open(ledger: Arc<Ledger>, address: String) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // Whatever is still to be sent when a connection is dropped is dropped with it, and the client is reset.
        socket.set_zero_linger()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1024)?;
        let keeper = Keeper {
            ledger,
            service: service(),
            address,
            cut: Arc::default(),
        };
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                // With each connection, those that it led to are closed too.
                let keeper = Keeper {
                    service: service(),
                    cut: Arc::default(),
                    ..keeper.clone()
                };
                connections.spawn(serve(stream, keeper));
            }
        });
        Ok(Self {
            address,
            listening: listening.abort_handle(),
        })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn service() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn serve(stream: TcpStream, keeper: Keeper) {
    let cut = Arc::clone(&keeper.cut);
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| keeper.clone().pass(request));
    let server = Builder::new(TokioExecutor::new());
    let serving = server.serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        _ = serving => {}
        () = cut.notified() => {}
    }
}

impl Keeper {
    async fn pass(self, request: Request<Incoming>) -> Result<Response<Answer>, BoxError> {
        let number = request.headers()[NUMBER].to_str()?.parse()?;
        let errand = Errand::of(number);
        let sighting = self.ledger.sighted(number);
        let is_http1 = request.version() < Version::HTTP_2;
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if body != errand.bytes() {
            self.ledger.garbled(number);
        }
        let fault = errand.fault(sighting);
        match fault {
            Some(Fault::Status(status)) => {
                self.ledger.answered_wrong(number);
                return Ok(made_up(number, StatusCode::from_u16(status)?));
            }
            Some(Fault::LostBefore) => return self.lose(&errand, is_http1).await,
            _ => {}
        }
        let answer = self.ask(head, body).await?;
        let (status, body) = (answer.status(), answer.body());
        if status.is_success() || says(body, "MkdirFailed.Exists") {
            self.ledger.carried_out(number);
        }
        match fault {
            Some(Fault::LostAfter) => self.lose(&errand, is_http1).await,
            Some(Fault::LostWithin) => Ok(self.lose_the_rest(&errand, is_http1, answer)),
            _ => Ok(answer.map(whole)),
        }
    }

    /// What the service says to the request.
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

    async fn lose(&self, errand: &Errand, is_http1: bool) -> Result<Response<Answer>, BoxError> {
        self.ledger.lost(errand.number);
        if errand.falls_with_connection(is_http1) {
            self.cut(is_http1).await;
        }
        // Resets the stream, and no other.
        Err("lost, as it was meant to be".into())
    }

    fn lose_the_rest(
        self,
        errand: &Errand,
        is_http1: bool,
        answer: Response<Bytes>,
    ) -> Response<Answer> {
        self.ledger.lost(errand.number);
        let falls = errand.falls_with_connection(is_http1);
        answer.map(|body| {
            let half = body.slice(..body.len() / 2);
            let lost = async move {
                if falls {
                    self.cut(is_http1).await;
                }
                Err::<Frame<Bytes>, BoxError>("lost, as it was meant to be".into())
            };
            let first = stream::iter([Ok(Frame::data(half))]);
            let both = futures_util::StreamExt::chain(first, stream::once(lost));
            StreamBody::new(both).boxed_unsync()
        })
    }

    /// Ends the connection, and with it whoever waits here.
    async fn cut(&self, is_http1: bool) -> Infallible {
        if !is_http1 {
            self.ledger.shared_cuts.fetch_add(1, SeqCst);
        }
        self.cut.notify_one();
        pending().await
    }
}

pub(crate) fn says(body: &[u8], what: &str) -> bool {
    memchr::memmem::find(body, what.as_bytes()).is_some()
}

/// The text of a made-up answer, which is to come back byte for byte.
pub(crate) fn made_up_text(number: u32) -> String {
    format!(r#"{{"code": "MadeUp", "message": "request {number} had bad luck"}}"#)
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
