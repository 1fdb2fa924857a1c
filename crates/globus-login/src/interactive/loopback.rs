//! The way back from the browser: a port of this machine (RFC 8252, section 7.3).

#[cfg(any(test, fuzzing))]
mod any_bytes;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::redirect;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::page;
use crate::{LoginReply, LoginRequest};

/// How long one connection may last.
const CONNECTION: Duration = Duration::from_secs(10);

/// How many connections there may be: a browser opens a few more than it needs.
const CONNECTIONS: usize = 64;

/// Listens, and is gone once it is dropped.
pub(super) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
}

/// What a connection needs to know.
struct Door {
    request: LoginRequest,
    redirect_uri: String,
    /// The first redirect that belongs to the login.
    answer: OnceLock<Url>,
}

impl Loopback {
    pub(super) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // As the SDK writes it, without a path: Globus Auth allows that with any port.
        let redirect_uri = format!("http://{}", listener.local_addr()?);
        Ok(Self {
            listener,
            redirect_uri,
        })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the redirect of this login. Whatever else comes is told so, and
    /// changes nothing.
    pub(super) async fn reply(&self, request: &LoginRequest) -> LoginReply {
        let door = Arc::new(Door {
            request: request.clone(),
            redirect_uri: self.redirect_uri.clone(),
            answer: OnceLock::new(),
        });
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        // Dropped with us, which closes all that is still open.
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                accepted = accept(&self.listener, &places) => {
                    let (stream, place) = accepted;
                    let door = Arc::clone(&door);
                    open.spawn(async move {
                        serve(stream, door).await;
                        drop(place);
                    });
                }
                // Only when a connection is done has the browser got its page.
                Some(_) = open.join_next() => {
                    if let Some(url) = door.answer.get() {
                        return LoginReply::Redirect {
                            url: url.clone(),
                            redirect_uri: self.redirect_uri.clone(),
                        };
                    }
                }
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    // Never closed, so there is always a place in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            // Out of file descriptors, or a connection that is gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, door: Arc<Door>) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let response = door.answer_to(request.method(), target);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // What a browser does with its connection is its own affair.
    let _ = tokio::time::timeout(CONNECTION, connection).await;
}

impl Door {
    fn answer_to(&self, method: &Method, target: &str) -> Response<Full<Bytes>> {
        // What does not begin a path would go on with our port.
        let target = Some(target).filter(|target| target.starts_with('/'));
        let url =
            target.and_then(|target| Url::parse(&format!("{}{target}", self.redirect_uri)).ok());
        let Some(url) = url.filter(|url| url.path() == "/") else {
            return page(StatusCode::NOT_FOUND, page::NOT_FOUND.html());
        };
        if method != Method::GET {
            let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, page::NOT_FOUND.html());
            refused
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET"));
            return refused;
        }
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        let (error, code) = (value("error"), value("code"));
        let says_something = error.is_some() || code.is_some_and(|code| !code.is_empty());
        if !says_something || !self.request.is_answered_by(&url) {
            return page(StatusCode::BAD_REQUEST, page::NOT_OURS.html());
        }
        let shown = match error.as_deref() {
            None => page::LOGGED_IN.html(),
            Some("access_denied") => page::DECLINED.html(),
            Some(error) => page::failed(value("error_description").as_deref().unwrap_or(error)),
        };
        // A page that is loaded again shows the same, and the first one counts.
        self.answer.get_or_init(|| url);
        page(StatusCode::OK, shown)
    }
}

fn page(status: StatusCode, html: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
