//! The way back from the browser: a port of this machine (RFC 8252, section 7.3).

#[cfg(any(test, fuzzing))]
mod any_bytes;
mod connections;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::redirect;

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use url::Url;

use self::connections::Connections;
use crate::authorization::Authorization;
use crate::page::Page;
use crate::{LoginEnd, LoginRequest};

/// A port that listens for the redirect of one login. It shows the end of the login to the browser, and then it is gone.
/// Dropped without a redirect, it is gone at once.
pub(super) struct Loopback {
    redirect_uri: String,
    callback: Arc<Callback>,
    task: AbortHandle,
}

/// What tells the redirect of a login from everything else that comes to the port.
struct Callback {
    page: Authorization,
    redirect_uri: String,
    /// The first redirect of the login.
    redirect: OnceLock<Url>,
    has_come: Notify,
}

/// What a redirect must say, one or the other.
#[derive(Deserialize)]
struct Said {
    code: Option<String>,
    error: Option<String>,
}

impl Loopback {
    pub(super) async fn listen(request: &LoginRequest) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // As the SDK writes it, without a path: Globus Auth allows that with any port.
        let redirect_uri = format!("http://{}", listener.local_addr()?);
        let callback = Arc::new(Callback::new(request, redirect_uri.clone()));
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

    /// Waits for the redirect of this login. Everything else that comes to the port is told so, and changes nothing.
    pub(super) async fn redirect(&self) -> Url {
        loop {
            if let Some(url) = self.callback.redirect.get() {
                return url.clone();
            }
            self.callback.has_come.notified().await;
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        if self.callback.redirect.get().is_none() {
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
            // Out of file descriptors, or a connection that is gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Callback {
    fn new(request: &LoginRequest, redirect_uri: String) -> Self {
        Self {
            page: request.page().clone(),
            redirect_uri,
            redirect: OnceLock::new(),
            has_come: Notify::new(),
        }
    }

    /// Takes the redirect of the login; anything else gets this page at once.
    fn take(&self, method: &Method, target: &str) -> Result<(), Page> {
        // A target that does not begin a path would go on with our port.
        let target = Some(target).filter(|target| target.starts_with('/'));
        let url =
            target.and_then(|target| Url::parse(&format!("{}{target}", self.redirect_uri)).ok());
        let Some(url) = url.filter(|url| url.path() == "/") else {
            return Err(Page::not_found(StatusCode::NOT_FOUND));
        };
        if method != Method::GET {
            return Err(Page::not_found(StatusCode::METHOD_NOT_ALLOWED));
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
        // A page that is loaded again shows the same, and the first one counts.
        self.redirect.get_or_init(|| url);
        self.has_come.notify_one();
        Ok(())
    }
}
