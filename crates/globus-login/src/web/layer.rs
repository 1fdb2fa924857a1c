use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::Response;
use http::Request;
use tower::{Layer, Service};

use super::browser::Browser;
use super::{WebError, WebLogins};

/// The layer around the routes that have users. Made by [`WebLogins::layer`].
///
/// The layer reads the cookies of each request for [`WebUser`](super::WebUser), and turns a
/// [`WebError`] into a response. A response to a user gets `Cache-Control: no-store`, unless it has
/// a `Cache-Control` of its own.
///
/// # Clone
///
/// Clones share the logins.
#[derive(Clone, Debug)]
pub struct WebLayer {
    logins: WebLogins,
}

/// The service around a router. Made by [`WebLayer`].
///
/// # Clone
///
/// Clones the router, and shares the logins.
#[derive(Clone, Debug)]
pub struct WebService<S> {
    logins: WebLogins,
    inner: S,
}

impl WebLayer {
    pub(super) fn new(logins: WebLogins) -> Self {
        Self { logins }
    }
}

impl<S> Layer<S> for WebLayer {
    type Service = WebService<S>;

    fn layer(&self, inner: S) -> WebService<S> {
        let logins = self.logins.clone();
        WebService { logins, inner }
    }
}

impl<S, B> Service<Request<B>> for WebService<S>
where
    S: Service<Request<B>, Response = Response, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let browser = Arc::new(Browser::of(&self.logins, &parts));
        parts.extensions.insert(Arc::clone(&browser));
        let answered = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let mut response = answered.await?;
            if let Some(error) = response.extensions_mut().remove::<WebError>() {
                response = browser.answer(error).await;
            }
            Ok(browser.complete(response))
        })
    }
}
