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
                        return LoginReply::Redirect(url.clone());
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::attempt::Attempt;
    use crate::scope::Scopes;
    use crate::settings::Settings;

    fn request() -> LoginRequest {
        let attempt = Attempt::begin(&Settings::for_tests(), &Scopes::default(), None);
        LoginRequest::new(None, attempt.page().clone())
    }

    fn state(request: &LoginRequest) -> String {
        let mut pairs = request.authorize_url().query_pairs();
        let state = pairs.find(|(name, _)| name == "state");
        state.expect("a state").1.into_owned()
    }

    /// A browser that opens one page after another, and tells status and title of each.
    async fn open(base: &str, targets: &[(Method, String)]) -> Vec<(u16, String)> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(CONNECTION)
            .build()
            .expect("a client");
        let mut seen = Vec::new();
        for (method, target) in targets {
            let url = format!("{base}{target}");
            let answer = client.request(method.clone(), url).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
            let status = answer.status().as_u16();
            let html = answer.text().await.expect("a page");
            let title = html
                .split("<h1>")
                .nth(1)
                .and_then(|rest| rest.split("</h1>").next());
            seen.push((status, title.unwrap_or_default().to_owned()));
        }
        seen
    }

    #[checks::test]
    async fn only_its_own_redirect_ends_a_login() {
        let request = request();
        let state = state(&request);
        let loopback = Loopback::bind().await.expect("a port");
        let base = loopback.redirect_uri().to_owned();
        assert!(base.starts_with("http://127.0.0.1:"), "{base}");
        let get = |target: &str| (Method::GET, target.to_owned());
        let strays = [
            get("/favicon.ico"),
            get(&format!("/other?code=stolen&state={state}")),
            get("/"),
            get("/?code=stolen"),
            get("/?code=stolen&state=other"),
            get(&format!("/?code=stolen&state={state}x")),
            get(&format!("/?code=stolen&state={state}&state={state}")),
            get(&format!("/?state={state}")),
            get("/?error=access_denied"),
            (Method::POST, format!("/?code=stolen&state={state}")),
        ];
        let redirect = get(&format!("/?code=c0de&state={state}"));
        // Somebody who connects and says nothing is in nobody's way.
        let address = base.trim_start_matches("http://").to_owned();
        let mut silent = TcpStream::connect(&address).await.expect("a connection");
        silent.write_all(b"GET ").await.expect("sent");
        let person = async {
            let seen = open(&base, &strays).await;
            let statuses: Vec<u16> = seen.iter().map(|(status, _)| *status).collect();
            assert_eq!(statuses, [404, 404, 400, 400, 400, 400, 400, 400, 400, 405]);
            open(&base, &[redirect]).await
        };
        let (reply, seen) = tokio::join!(loopback.reply(&request), person);
        assert_eq!(seen, [(200, "You are logged in".to_owned())]);
        let LoginReply::Redirect(url) = reply else {
            panic!("a redirect");
        };
        assert!(url.as_str().contains("code=c0de") && request.is_answered_by(&url));
        drop(loopback);
        TcpStream::connect(address)
            .await
            .expect_err("the server is gone");
    }

    #[checks::test]
    async fn denial_and_error_each_show_their_page() {
        for (query, title) in [
            ("error=access_denied", "You declined the login"),
            (
                "error=server_error&error_description=so+sorry",
                "The login failed",
            ),
            ("error=access_denied&code=c0de", "You declined the login"),
        ] {
            let request = request();
            let loopback = Loopback::bind().await.expect("a port");
            let target = format!("/?{query}&state={}", state(&request));
            let page = [(Method::GET, target)];
            let person = open(loopback.redirect_uri(), &page);
            let (reply, seen) = tokio::join!(loopback.reply(&request), person);
            assert_eq!(seen, [(200, title.to_owned())]);
            assert!(matches!(reply, LoginReply::Redirect(url) if url.as_str().contains("error=")));
        }
    }

    #[checks::test]
    fn second_redirect_does_not_replace_the_first() {
        let request = request();
        let state = state(&request);
        let door = Door {
            request,
            redirect_uri: "http://127.0.0.1:9".to_owned(),
            answer: OnceLock::new(),
        };
        for code in ["first", "second"] {
            let page = door.answer_to(&Method::GET, &format!("/?code={code}&state={state}"));
            assert_eq!(page.status(), StatusCode::OK);
        }
        let url = door.answer.get().expect("an answer").as_str();
        assert!(url.contains("code=first"), "{url}");
    }
}
