use std::task::Context;
use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, Method};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};

use super::answer;
use super::kept::{Kept, Replays};
use crate::layer::{GareLayer, authorize, follow, follow_first, glance, waker};
use crate::reauth::{
    Authorization, Exchange, GareOptions, Look, Reauthenticator, RequestHead, Route, Session,
    Untrusted, look_at_head,
};

/// A middleware for `reqwest-middleware` that satisfies GAREs and replays the request.
///
/// It behaves as [`GareLayer`](crate::layer::GareLayer) does: when a response is a challenge, it
/// has the [`Reauthenticator`] obtain a credential and replays the request with it.
///
/// # Clone
///
/// Clones share one [`Session`]. [`Session::builder`] has its settings.
///
/// ```
/// use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
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
///     .with(GareMiddleware::from_session(Session::builder(login).trust(Trust::globus().loopback()).build()))
///     .build();
///
/// // The service responded with 502 and required a second factor.
/// let response = client.get(url).bearer_auth("stale").send().await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GareMiddleware {
    layer: GareLayer,
    replay_streams: Option<usize>,
}

impl GareMiddleware {
    /// Makes a middleware with a new session.
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::from_session(Session::new(reauthenticator))
    }

    /// Makes a middleware with a session that other clients may share.
    pub fn from_session(session: Session) -> Self {
        Self {
            layer: GareLayer::from_session(session),
            replay_streams: None,
        }
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        self.layer.session()
    }

    /// How many bytes of an error response are inspected. Default: 256 KiB. A longer response is
    /// passed on unchanged.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.layer = self.layer.max_inspect(bytes);
        self
    }

    /// How long to wait for the body of an error response. Default: 10 seconds. A slower response
    /// is passed on unchanged.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.layer = self.layer.inspect_timeout(timeout);
        self
    }

    /// Keeps up to `limit` bytes of a streaming request body, so that it can be replayed: see
    /// [`ReplayBody`](crate::layer::ReplayBody). By default a stream is sent once.
    #[must_use]
    pub fn replay_streams(mut self, limit: usize) -> Self {
        self.replay_streams = Some(limit);
        self
    }

    /// The options of requests that have no [`GareOptions`] in their extensions.
    #[must_use]
    pub fn default_options(mut self, options: GareOptions) -> Self {
        self.layer = self.layer.default_options(options);
        self
    }

    async fn glance(&self, untrusted: Untrusted, response: Response) -> Response {
        let (response, waker) = (answer::into_http(response), waker().await);
        let mut cx = Context::from_waker(&waker);
        answer::from_http(glance(untrusted, response, &self.layer.limits, &mut cx))
    }
}

/// Whether a response may be a challenge, even if it cannot be read.
fn may_follow(method: &Method, response: &Response) -> bool {
    look_at_head(method, response.status(), response.headers()) != Look::Nothing
        && response.content_length() != Some(0)
}

#[async_trait]
impl Middleware for GareMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let (method, url) = (request.method().clone(), request.url().clone());
        let route = self.session().start(RequestHead {
            method: &method,
            scheme: url.scheme(),
            authority: url.authority(),
            path: url.path(),
            headers: request.headers(),
            extensions,
            defaults: &self.layer.defaults,
        });
        let (handled, authorization) = match route {
            Route::Bypass(value) => {
                if let Some(value) = value {
                    authorize(request.headers_mut(), value);
                }
                return next.run(request, extensions).await;
            }
            Route::Untrusted(untrusted) => {
                let response = next.run(request, extensions).await?;
                if !may_follow(&untrusted.method, &response) {
                    return Ok(response);
                }
                return Ok(self.glance(untrusted, response).await);
            }
            Route::Handle(handled, authorization) => (handled, authorization),
        };
        let kept = Kept::of(&mut request, self.replay_streams);
        // The first response, or the request while it waits for its first credential.
        let first = match authorization {
            Authorization::Awaited => Err(request),
            Authorization::Known(value) => {
                if let Some(value) = value {
                    authorize(request.headers_mut(), value);
                }
                let response = next.clone().run(request, extensions).await?;
                let (status, headers) = (response.status(), response.headers());
                let answered = handled.may_redirect.then(|| answer::uri(response.url()));
                if !may_follow(&method, &response)
                    && !handled.may_ask_for_any(status, headers)
                    && !handled.is_sent_to_login(status, headers, answered.as_ref())
                {
                    handled.answered(status, url.path());
                    return Ok(response);
                }
                Ok(answer::into_http(response))
            }
        };
        let limits = self.layer.limits;
        let options = extensions.get().unwrap_or(&*self.layer.defaults);
        let presented = kept.headers.authorization();
        let exchange = Exchange::new(handled, (&method, answer::uri(&url)), presented, options);
        let replays = Replays {
            next,
            extensions,
            kept,
        };
        let followed = match first {
            Ok(response) => Box::pin(follow(exchange, replays, limits, response)).await?,
            Err(request) => Box::pin(follow_first(exchange, replays, limits, request)).await?,
        };
        Ok(answer::from_http(followed))
    }
}
