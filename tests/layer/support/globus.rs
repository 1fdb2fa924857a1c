//! A `FakeGlobus` with collections, and a client with a bounded number of connections.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use checks::mock::presenting;
use checks::sample::TRANSFER_ALL;
use fake_globus::{Collection, FakeGlobus, FakeGlobusBuilder, Identity, Person};
use futures_util::future::join_all;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{Session, Trust};
use http::{Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

pub(crate) type Body = Full<Bytes>;
pub(crate) type Http =
    BoxCloneSyncService<Request<Body>, Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError>;
pub(crate) type Client = GareService<Http>;

/// A directory to serve. It is removed when it is dropped.
pub(crate) fn data() -> TempDir {
    let data = tempfile::tempdir().expect("a directory");
    std::fs::write(data.path().join("hello.txt"), "hello").expect("a file");
    data
}

pub(crate) async fn start(builder: FakeGlobusBuilder) -> Arc<FakeGlobus> {
    let globus = builder.person(Person::automatic()).start().await;
    Arc::new(globus.expect("a server"))
}

pub(crate) fn behind(session: &Session, http: Http) -> Client {
    GareLayer::from_session(session.clone()).layer(http)
}

pub(crate) fn trusting(globus: &FakeGlobus) -> Trust {
    Trust::none()
        .origin(globus.transfer_url())
        .expect("loopback may be trusted")
}

/// A request to list `collection`. `mark` identifies it in the server's log.
pub(crate) fn list(globus: &FakeGlobus, collection: &Collection, mark: usize) -> Request<Body> {
    let (base, id) = (globus.transfer_url(), collection.id());
    Request::get(format!(
        "{base}v0.10/operation/endpoint/{id}/ls?mark={mark}"
    ))
    .body(Body::default())
    .expect("a request")
}

/// A server whose only collection rejects the given token.
pub(crate) struct World {
    pub(crate) globus: Arc<FakeGlobus>,
    pub(crate) collection: Collection,
    pub(crate) ada: Identity,
    pub(crate) stale: String,
    _data: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let (data, ada) = (data(), Identity::new("ada", "uchicago.edu"));
        let collection = Collection::new("Restricted", data.path()).session_minutes(10);
        let builder = FakeGlobus::builder().identity(ada.clone());
        let globus = start(builder.collection(collection.clone())).await;
        let stale = stale(&globus, &ada);
        Self {
            globus,
            collection,
            ada,
            stale,
            _data: data,
        }
    }

    /// Sends `count` listings at once, each with the rejected token.
    pub(crate) async fn page(&self, client: &Client, count: usize) -> Vec<Response<String>> {
        let marks = 0..count;
        let all = marks.map(|mark| list(&self.globus, &self.collection, mark));
        send_all(client, &self.stale, all).await
    }
}

/// A token of `user` that is an hour old.
pub(crate) fn stale(globus: &FakeGlobus, user: &Identity) -> String {
    let token = globus.issue_token(user, TRANSFER_ALL).expect("a token");
    globus.clock().advance(Duration::from_secs(3600));
    token
}

/// Sends `requests` at once, each with `token`.
pub(crate) async fn send_all(
    client: &Client,
    token: &str,
    requests: impl Iterator<Item = Request<Body>>,
) -> Vec<Response<String>> {
    let all = requests.map(|request| {
        let request = presenting(request, &format!("Bearer {token}"));
        tokio::spawn(send(client.clone(), request))
    });
    let all: Vec<_> = all.collect();
    let answers = join_all(all).await.into_iter();
    answers.map(|answer| answer.expect("no panic")).collect()
}

pub(crate) async fn send<S, ResB>(client: S, request: Request<Body>) -> Response<String>
where
    S: Service<Request<Body>, Response = Response<ResB>, Error = BoxError>,
    ResB: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let response = client.oneshot(request).await.expect("a response");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(body.into()).expect("text");
    Response::from_parts(head, text)
}

/// The TCP connections of one client: their limit, and their number so far.
#[derive(Clone)]
pub(crate) struct Connections {
    free: Arc<Semaphore>,
    opened: Arc<AtomicUsize>,
}

/// A connection. It holds one permit until it is closed.
struct Line {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn at_most(number: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(number)),
            opened: Arc::default(),
        }
    }

    pub(crate) fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }

    pub(crate) fn client(&self) -> Http {
        let connections = self.clone();
        let connect = service_fn(move |uri: Uri| {
            let connections = connections.clone();
            Box::pin(async move {
                let permit = connections.free.acquire_owned().await?;
                let address = uri.authority().map_or("", |authority| authority.as_str());
                let stream = TcpStream::connect(address).await?;
                connections.opened.fetch_add(1, SeqCst);
                Ok::<_, BoxError>(TokioIo::new(Line {
                    stream,
                    _permit: permit,
                }))
            })
        });
        let client = legacy::Client::builder(TokioExecutor::new()).build(connect);
        BoxCloneSyncService::new(service_fn(move |request: Request<Body>| {
            let answer = client.request(request);
            async move {
                let answer = answer.await?;
                Ok(answer.map(|body| body.map_err(BoxError::from).boxed_unsync()))
            }
        }))
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
