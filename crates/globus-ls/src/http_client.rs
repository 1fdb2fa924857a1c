//! A reqwest client as the service that the layer goes around.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::reauth::{Origin, ResponseUrl};
use tower::Service;
use url::Url;

#[derive(Clone)]
pub(crate) struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client for `service` that waits for an answer no longer than `timeout`.
    pub(crate) fn new(timeout: Duration, service: &Url) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .timeout(timeout)
            .user_agent("globus-ls");
        if service
            .as_str()
            .parse()
            .is_ok_and(|origin: Origin| origin.is_loopback())
        {
            // No proxy that the environment names can reach this machine's own ports.
            builder = builder.no_proxy();
        }
        Ok(Self(builder.build()?))
    }
}

impl Service<http::Request<Bytes>> for HttpClient {
    type Response = http::Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let response = client.execute(request.try_into()?).await?;
            // reqwest follows redirects: the layer is told who answered in the end.
            let answered_by = response.url().as_str().parse().map(ResponseUrl);
            let mut response = http::Response::from(response);
            if let Ok(answered_by) = answered_by {
                response.extensions_mut().insert(answered_by);
            }
            Ok(response)
        })
    }
}
