use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, Method};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};

use super::answer::{self, Read};
use super::kept::Kept;
use crate::body::Inspection;
use crate::gare::Detection;
use crate::kept_headers::authorize;
use crate::reauth::{Course, Exchange, Header, Reauthenticator, Session, Trust, head_may_ask};

/// Makes a `reqwest` client satisfy Globus Auth requirements and carry on.
///
/// As [`GareLayer`](crate::layer::GareLayer) does for tower, and by the same
/// decisions: a response that asks for a fresh or stronger login has the
/// [`Reauthenticator`] obtain it, and the request is sent again.
///
/// # Clone
///
/// Clones share one [`Session`]. A setter of the session
/// ([`trust`](Self::trust), …) begins a session of its own: call it before you clone.
///
/// ```
/// use globus_gare::reauth::{Credential, Trust, reauth_fn};
/// use globus_gare::reqwest::GareMiddleware;
/// use reqwest_middleware::ClientBuilder;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let app = axum::Router::new().fallback(|headers: http::HeaderMap| async move {
/// #     let known = headers.get("authorization").is_some_and(|value| value == "Bearer fresh");
/// #     match known {
/// #         true => (http::StatusCode::OK, r#"{"DATA": []}"#),
/// #         false => (http::StatusCode::BAD_GATEWAY, r#"{"authorization_parameters": {"session_required_mfa": true}}"#),
/// #     }
/// # });
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let url = format!("http://{}/", listener.local_addr()?);
/// # tokio::spawn(async move { axum::serve(listener, app).await });
/// let login = reauth_fn(|challenge| async move {
///     assert!(challenge.gare().authorization_parameters.session_required_mfa);
///     Ok(Credential::bearer("fresh")?)
/// });
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(GareMiddleware::new(login).trust(Trust::globus().loopback()))
///     .build();
///
/// // The service said 502, and asked for a second factor.
/// let response = client.get(url).bearer_auth("stale").send().await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GareMiddleware {
    session: Session,
    max_inspect: usize,
    inspect_timeout: Duration,
    replay_streams: Option<usize>,
}

impl GareMiddleware {
    /// A middleware with a session of its own.
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::from_session(Session::new(reauthenticator))
    }

    /// A middleware that shares `session` with others. Build the session first
    /// to set its limits: [`Session::max_logins`] and the like.
    pub fn from_session(session: Session) -> Self {
        Self {
            session,
            max_inspect: 256 * 1024,
            inspect_timeout: Duration::from_secs(10),
            replay_streams: None,
        }
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// See [`Session::trust`].
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.session = self.session.trust(trust);
        self
    }

    /// How many bytes of an error response are looked at; 256 KiB by default. A
    /// longer one streams on untouched.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.max_inspect = bytes;
        self
    }

    /// For how long an error response may trickle in before it is passed on
    /// unread; 10 seconds by default.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.inspect_timeout = timeout;
        self
    }

    /// Has a streaming request body sent again too, if it is no longer than
    /// `limit` bytes, which are kept as they are sent: see
    /// [`ReplayBody`](crate::layer::ReplayBody). By default a stream is sent once.
    #[must_use]
    pub fn replay_streams(mut self, limit: usize) -> Self {
        self.replay_streams = Some(limit);
        self
    }

    /// What is done about an answer, which is to be passed on unless the request is sent again.
    ///
    /// It is waited for in a box: the future of every request keeps room for whatever it may wait for.
    async fn answered(
        &self,
        mut exchange: Exchange,
        kept: Kept,
        response: Response,
    ) -> Result<(Request, Exchange, Kept), Response> {
        let heard = exchange.hears(response.extensions(), || kept.asked())
            && answer::uri(response.url())
                .is_some_and(|uri| exchange.hears_from(&uri, || kept.asked()));
        if !heard {
            return Err(finish(exchange, response));
        }
        let Read { text, response } = if self.may_ask(kept.method(), &response) {
            answer::read(response, |body| {
                Inspection::new(body, self.max_inspect, self.inspect_timeout)
            })
            .await
        } else {
            Read {
                text: None,
                response,
            }
        };
        let status = response.status();
        let Detection {
            found, over_limit, ..
        } = text.as_deref().map(Detection::of).unwrap_or_default();
        exchange.left_out(&kept.asked(), over_limit);

        // A claim may end the sending of the first attempt's body, and with it the
        // connection: there has to be a reason, and the answer has to be read.
        let claims = text.is_some() && (!found.is_empty() || exchange.minds(status));
        let replayable = kept.is_replayable() && (!claims || kept.claim());
        let (mut exchange, header) = exchange
            .decide(kept.asked(), status, found, replayable)
            .await;
        match exchange.again(header, |header, usual| kept.with(header, usual)) {
            Some((request, kept)) => Ok((request, exchange, kept)),
            None => Err(finish(exchange, response)),
        }
    }

    fn may_ask(&self, method: &Method, response: &Response) -> bool {
        let length = response.content_length().map(usize::try_from);
        head_may_ask(method, response.status(), response.headers())
            && length.is_none_or(|length| {
                length.is_ok_and(|length| 0 < length && length <= self.max_inspect)
            })
    }
}

fn finish(mut exchange: Exchange, mut response: Response) -> Response {
    exchange.finish(response.status(), response.extensions_mut());
    response
}

#[async_trait]
impl Middleware for GareMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let mut exchange = match self.session.begin(request.url(), extensions) {
            Course::Through { .. } => self.session.exchange(extensions),
            Course::Aside => return next.run(request, extensions).await,
            Course::Untrusted => {
                let method = request.method().clone();
                let mut response = next.run(request, extensions).await?;
                if self.may_ask(&method, &response) {
                    response.extensions_mut().insert(self.session.untrusted());
                }
                return Ok(response);
            }
        };
        let mut kept = Kept::of(&mut request, &exchange, self.replay_streams);
        match exchange.present(kept.presented(), request.url()) {
            Header::AsItCame => {}
            Header::Issued(value) => authorize(request.headers_mut(), value),
            Header::Awaited => {
                let (prepared, header) = Box::pin(exchange.prepare(kept.asked())).await;
                exchange = prepared;
                if let Some(value) = header {
                    authorize(request.headers_mut(), value);
                }
            }
        }
        loop {
            let response = next.clone().run(request, extensions).await?;
            let status = response.status();
            if !self.may_ask(kept.method(), &response) && !exchange.minds(status) {
                return Ok(finish(exchange, response));
            }
            (request, exchange, kept) =
                match Box::pin(self.answered(exchange, kept, response)).await {
                    Ok(again) => again,
                    Err(response) => return Ok(response),
                };
        }
    }
}

impl fmt::Debug for GareMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GareMiddleware")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
