//! The connections to the port. A new connection is always accepted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::{Answer, Callback};
use crate::LoginEnd;
use crate::page::Page;

/// The maximum number of connections. A browser opens a few more than it needs.
const CONNECTIONS: usize = 64;

/// How long a connection may last without the redirect. A local program sends a request and reads a
/// page in less.
const SILENCE: Duration = Duration::from_secs(2);

/// How long a browser may take to read the last page.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// All open connections. They are closed on drop.
pub(super) struct Connections {
    callback: Arc<Callback>,
    end: LoginEnd,
    open: VecDeque<Connection>,
    tasks: JoinSet<()>,
}

struct Connection {
    task: AbortHandle,
    /// Whether the page has to be read, even after the end of the login.
    waits: Arc<AtomicBool>,
}

impl Connections {
    pub(super) fn new(callback: Arc<Callback>, end: LoginEnd) -> Self {
        Self {
            callback,
            end,
            open: VecDeque::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Serves a new connection. At the maximum, closes the oldest one that does not wait for its
    /// page.
    pub(super) fn serve(&mut self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.open
            .retain(|connection| !connection.task.is_finished());
        if self.open.len() >= CONNECTIONS {
            let silent = self.open.iter().position(|open| !open.waits());
            if let Some(closed) = self.open.remove(silent.unwrap_or(0)) {
                closed.task.abort();
            }
        }
        let waits = Arc::<AtomicBool>::default();
        let (callback, end) = (Arc::clone(&self.callback), self.end.clone());
        let task = self
            .tasks
            .spawn(serve(stream, callback, end, Arc::clone(&waits)));
        self.open.push_back(Connection { task, waits });
    }

    /// Lets browsers read the last page, and closes all other connections.
    pub(super) async fn finish(mut self) {
        let silent = self.open.iter().filter(|open| !open.waits());
        silent.for_each(|open| open.task.abort());
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(LAST_PAGE, all).await;
    }
}

impl Connection {
    fn waits(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }
}

pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    callback: Arc<Callback>,
    end: LoginEnd,
    waits: Arc<AtomicBool>,
) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let target = request.uri().path_and_query();
        let target = target.map_or("/", |target| target.as_str());
        let answer = callback.answer(request.method(), target, request.headers());
        let is_read = matches!(answer, Answer::Redirect | Answer::Contested(_));
        waits.store(is_read, Ordering::Release);
        let mut end = end.clone();
        async move {
            Ok::<_, Infallible>(match answer {
                Answer::Redirect => Page::ended(&end.wait().await).response(),
                Answer::Contested(page) | Answer::Page(page) => page.response(),
                Answer::Entrance(response) => response,
            })
        }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let silence = async {
        sleep(SILENCE).await;
        if waits.load(Ordering::Acquire) {
            std::future::pending().await
        }
    };
    tokio::select! {
        // Ignores an error of the connection: the browser can connect again.
        _ = connection => {}
        () = silence => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;
    use crate::interactive::loopback::any_bytes::Waiting;

    async fn heard(mut browser: DuplexStream) -> String {
        let mut heard = String::new();
        browser.read_to_string(&mut heard).await.expect("text");
        heard
    }

    /// The paused clock advances only when all tasks wait.
    #[checks::test(start_paused = true)]
    async fn oldest_silent_connection_is_closed_others_after_2_s() {
        let waiting = Waiting::new();
        let mut connections = Connections::new(waiting.callback(), waiting.end());
        let mut open = || {
            let (browser, ours) = duplex(64 * 1024);
            connections.serve(ours);
            browser
        };
        let begun = Instant::now();
        let mut redirect = open();
        let request = format!(
            "GET /?code=c&state={} HTTP/1.1\r\nCookie: {}\r\n\r\n",
            waiting.state(),
            waiting.cookie()
        );
        redirect.write_all(request.as_bytes()).await.expect("room");
        waiting.redirect().await;
        let mut silent: VecDeque<_> = (0..600).map(|_| open()).collect();
        let newest = silent.pop_back().expect("just opened");
        let mut newer = silent.split_off(600 - CONNECTIONS);
        for oldest in silent {
            assert_eq!(heard(oldest).await, "");
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);

        let mut asks = newer.pop_back().expect("just opened");
        asks.write_all(b"GET /favicon.ico HTTP/1.1\r\n\r\n")
            .await
            .expect("room");
        assert!(heard(asks).await.starts_with("HTTP/1.1 404 "));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(heard(newest).await, "");
        assert_eq!(begun.elapsed().as_secs(), SILENCE.as_secs());
        // The redirect waits for the end of the login, however long that takes.
        sleep(Duration::from_secs(60)).await;
        waiting.give_up();
        assert!(heard(redirect).await.contains("The login failed"));
    }
}
