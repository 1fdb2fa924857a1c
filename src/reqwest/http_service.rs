use std::any::Any;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use tower_service::Service;

use super::answer;
use crate::reauth::{ResponseUrl, is_authorize};

/// A [`reqwest::Client`] as a tower service, for a [`GareLayer`](crate::layer::GareLayer) to wrap.
///
/// reqwest follows redirects itself. The service records the URL that a response came from, as
/// [`ResponseUrl`], so that a challenge from a stranger's origin starts nothing. A client from
/// [`new`](Self::new) or [`from_builder`](Self::from_builder) [stops](stop_at_login) at the login
/// page of Globus Auth.
///
/// # Bodies
///
/// The request's body is any [`http_body::Body`] that is `Send + Sync + 'static`. Put a body that
/// is not `Sync`, such as axum's or tonic's, into a [`ReplayBody`](crate::layer::ReplayBody).
/// reqwest follows a 307 or 308 redirect only with a body in memory: [`reqwest::Body`],
/// `Full<Bytes>`, `String`, or an empty body of any type.
///
/// # Responses
///
/// [`reqwest::Response::from`] converts a response, with its URL. The layer's body is wrapped in a
/// [`reqwest::Body`] first:
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::reqwest::HttpService;
/// use globus_gare::{Credential, GareLayer, Session, Trust, reauth_fn};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
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
/// let login = reauth_fn(|_challenge| async { Ok(Credential::bearer("fresh")?) });
/// let layer = GareLayer::from_session(Session::builder(login).trust(Trust::globus().loopback()).build());
/// let client = layer.layer(HttpService::from_builder(reqwest::Client::builder().no_proxy())?);
///
/// let request = http::Request::get(&url).body(Full::<Bytes>::default())?;
/// let response = client.oneshot(request).await?;
/// let response = reqwest::Response::from(response.map(reqwest::Body::wrap));
/// assert_eq!(response.url().as_str(), url);
/// assert_eq!(response.text().await?, r#"{"DATA": []}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Clone
///
/// Clones share the client's connections.
#[derive(Clone)]
pub struct HttpService {
    client: Client,
}

impl HttpService {
    /// Makes a service over a client with reqwest's defaults, which [stops](stop_at_login) at the
    /// login page.
    ///
    /// # Errors
    ///
    /// If the client cannot be built: [`ClientBuilder::build`].
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::from_builder(Client::builder())
    }

    /// Makes a service over the client that `builder` builds. Its redirect policy becomes reqwest's
    /// default, at most 10 redirects, which [stops](stop_at_login) at the login page.
    ///
    /// # Errors
    ///
    /// If the client cannot be built: [`ClientBuilder::build`].
    pub fn from_builder(builder: ClientBuilder) -> Result<Self, reqwest::Error> {
        builder.redirect(redirects()).build().map(Self::from)
    }

    /// The client.
    pub fn get_ref(&self) -> &Client {
        &self.client
    }
}

// The `Debug` of a client shows its default headers, and one of them may hold a token.
impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").finish_non_exhaustive()
    }
}

/// The client keeps its own redirect policy.
impl From<Client> for HttpService {
    fn from(client: Client) -> Self {
        Self { client }
    }
}

impl<B> Service<Request<B>> for HttpService
where
    B: Body<Data: Into<Bytes>, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Sync + 'static,
{
    type Response = Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<reqwest::Request>::poll_ready(&mut self.client, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let sent = reqwest::Request::try_from(request.map(into_reqwest))
            .map(|request| self.client.call(request));
        Box::pin(async move {
            let response = sent?.await?;
            let uri = answer::uri(response.url());
            let mut response = answer::into_http(response);
            answer::tell_url(&mut response);
            response.extensions_mut().insert(ResponseUrl(uri));
            Ok(response)
        })
    }
}

/// reqwest's default redirect policy, which [stops at a login](stop_at_login).
pub fn redirects() -> Policy {
    stop_at_login(Policy::default())
}

/// A redirect policy that stops at Globus Auth's login page, and otherwise follows `policy`.
///
/// The client then returns the redirect to the login page. Otherwise it would return the page
/// itself, which has the status 200. The page is recognised by its path, `/v2/oauth2/authorize`, in
/// every environment and in a local Globus.
///
/// [`HttpService::new`](HttpService::new) uses it. Set it on the client of a
/// [`GareMiddleware`](super::GareMiddleware) too:
///
/// ```
/// use globus_gare::reqwest::stop_at_login;
/// use reqwest::redirect::Policy;
///
/// # fn main() -> Result<(), reqwest::Error> {
/// let client = reqwest::Client::builder().redirect(stop_at_login(Policy::limited(3))).build()?;
/// # Ok(())
/// # }
/// ```
pub fn stop_at_login(policy: Policy) -> Policy {
    Policy::custom(move |attempt| match is_authorize(attempt.url().path()) {
        true => attempt.stop(),
        false => policy.redirect(attempt),
    })
}

/// A body for reqwest. A body in memory stays in memory, so that reqwest can send it again after a
/// redirect.
fn into_reqwest<B>(body: B) -> reqwest::Body
where
    B: Body<Data: Into<Bytes>, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Sync + 'static,
{
    if body.is_end_stream() {
        return reqwest::Body::default();
    }
    let mut body = Some(body);
    let any: &mut dyn Any = &mut body;
    if let Some(body) = any.downcast_mut().and_then(Option::<reqwest::Body>::take) {
        return body;
    }
    if let Some(text) = any.downcast_mut().and_then(Option::<String>::take) {
        return text.into();
    }
    if let Some(full) = any.downcast_mut().and_then(Option::<Full<Bytes>>::take) {
        return of_full(full);
    }
    body.map(reqwest::Body::wrap).unwrap_or_default()
}

/// The data of a `Full`, which is always ready.
fn of_full(mut full: Full<Bytes>) -> reqwest::Body {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(&mut full).poll_frame(&mut cx) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default().into(),
        _ => reqwest::Body::default(),
    }
}
