//! The loopback port to which the browser is redirected (RFC 8252, section 7.3).

#[cfg(any(test, fuzzing))]
mod any_bytes;
mod connections;
mod entrance;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::redirect;

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use url::Url;

use self::connections::Connections;
use self::entrance::{Entrance, OpenedTwice};
use crate::authorization::Authorization;
use crate::page::Page;
use crate::{LoginEnd, LoginRequest};
use globus_gare::reauth::ReauthError;

/// A port that listens for the redirect of one login. It shows the end of the login to the browser,
/// and then closes. If dropped without a redirect, it closes at once.
pub(super) struct Loopback {
    redirect_uri: String,
    callback: Arc<Callback>,
    task: AbortHandle,
}

/// Tells the redirect of a login from all other requests to the port.
struct Callback {
    page: Authorization,
    redirect_uri: String,
    entrance: Entrance,
    /// The first redirect of the login.
    redirect: OnceLock<Url>,
    has_come: Notify,
}

/// The answer to a request.
enum Answer {
    /// The request is the redirect of the login. Its page waits for the end of the login.
    Redirect,
    /// A second browser opened the entrance. The port stays open until this page is read.
    Contested(Page),
    Page(Page),
    /// A redirect to the login page.
    Entrance(Response<Full<Bytes>>),
}

/// The members of a redirect, of which one must be there.
#[derive(Deserialize)]
struct Said {
    code: Option<String>,
    error: Option<String>,
}

impl Loopback {
    pub(super) async fn listen(request: &LoginRequest) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Without a path, as in the Python SDK: Globus Auth allows this URI with any port.
        let address = listener.local_addr()?;
        let redirect_uri = format!("http://{address}");
        let callback = Callback::new(request, redirect_uri.clone(), address.port());
        let callback = Arc::new(callback.map_err(io::Error::other)?);
        let task = tokio::spawn(serve(listener, Arc::clone(&callback), request.end()));
        Ok(Self {
            redirect_uri,
            callback,
            task: task.abort_handle(),
        })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The URL to open in the browser. It works once.
    pub(super) fn entrance(&self) -> String {
        format!("{}{}", self.redirect_uri, self.callback.entrance.path())
    }

    /// Waits for the redirect of this login. Other requests get a page and change nothing, except
    /// that a second browser at the entrance ends the wait.
    pub(super) async fn redirect(&self) -> Result<Url, OpenedTwice> {
        loop {
            if self.callback.entrance.is_contested() {
                return Err(OpenedTwice);
            }
            if let Some(url) = self.callback.redirect.get() {
                return Ok(url.clone());
            }
            self.callback.has_come.notified().await;
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        if self.callback.redirect.get().is_none() && !self.callback.entrance.is_contested() {
            self.task.abort();
        }
    }
}

async fn serve(listener: TcpListener, callback: Arc<Callback>, mut end: LoginEnd) {
    let mut connections = Connections::new(callback, end.clone());
    loop {
        tokio::select! {
            stream = accept(&listener) => connections.serve(stream),
            _ = end.wait() => break,
        }
    }
    drop(listener);
    connections.finish().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // No file descriptors are left, or the connection is gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Callback {
    fn new(request: &LoginRequest, redirect_uri: String, port: u16) -> Result<Self, ReauthError> {
        let authorize_url = request.authorize_url_for(&redirect_uri)?;
        Ok(Self {
            page: request.page().clone(),
            redirect_uri,
            entrance: Entrance::new(authorize_url, port),
            redirect: OnceLock::new(),
            has_come: Notify::new(),
        })
    }

    /// Answers a request: the entrance, the redirect of the login, or anything else.
    fn answer(&self, method: &Method, target: &str, headers: &HeaderMap) -> Answer {
        match self.take(method, target, headers) {
            Ok(answer) => answer,
            Err(page) => Answer::Page(page),
        }
    }

    fn take(&self, method: &Method, target: &str, headers: &HeaderMap) -> Result<Answer, Page> {
        // A target without a slash would extend the port number.
        let target = Some(target).filter(|target| target.starts_with('/'));
        let url =
            target.and_then(|target| Url::parse(&format!("{}{target}", self.redirect_uri)).ok());
        let is_entrance = |url: &Url| self.entrance.is_at(url.path());
        let Some(url) = url.filter(|url| url.path() == "/" || is_entrance(url)) else {
            return Err(Page::not_found(StatusCode::NOT_FOUND));
        };
        if method != Method::GET {
            return Err(Page::not_found(StatusCode::METHOD_NOT_ALLOWED));
        }
        if is_entrance(&url) {
            return Ok(match self.entrance.open(headers) {
                Ok(response) => Answer::Entrance(response),
                Err(page) => {
                    self.has_come.notify_one();
                    Answer::Contested(page)
                }
            });
        }
        let says_something = || {
            let said = serde_urlencoded::from_str(url.query().unwrap_or_default());
            said.is_ok_and(|said: Said| {
                said.error.is_some() || said.code.is_some_and(|code| !code.is_empty())
            })
        };
        if !self.page.is_answered_by(&url) || !says_something() {
            return Err(Page::of_no_login());
        }
        if self.entrance.is_contested() {
            return Err(Page::opened_twice());
        }
        if !self.entrance.knows(headers) {
            return Err(Page::of_another_browser());
        }
        // The first redirect counts. A reload shows the same page.
        self.redirect.get_or_init(|| url);
        self.has_come.notify_one();
        Ok(Answer::Redirect)
    }
}
