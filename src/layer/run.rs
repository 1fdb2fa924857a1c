use std::future::Future;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer as _;
use tower_service::Service;

use super::{GareBody, GareLayer, ReplayableBody};
use crate::reauth::Session;

/// A closure that sends requests, as a tower service.
#[derive(Clone)]
struct Sender<F>(F);

impl<F, Fut, B, ResB, E> Service<Request<B>> for Sender<F>
where
    F: Fn(Request<B>) -> Fut,
    Fut: Future<Output = Result<Response<ResB>, E>>,
{
    type Response = Response<ResB>;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Fut {
        (self.0)(request)
    }
}

impl Session {
    /// Sends a request with `send`, satisfies GAREs, and replays the request, as [`GareLayer`]
    /// does. For a client that is not a tower service and has no middleware.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use globus_gare::reauth::{Credential, Session, reauth_fn};
    /// use http_body_util::Full;
    ///
    /// # async fn send_with_my_client(request: http::Request<Full<Bytes>>) -> Result<http::Response<Full<Bytes>>, std::io::Error> {
    /// #     let status = if request.headers().contains_key("authorization") { 200 } else { 401 };
    /// #     Ok(http::Response::builder().status(status).body(Full::default()).unwrap())
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) }));
    /// let request = http::Request::get("https://transfer.api.globus.org/v0.10/task_list").body(Full::default())?;
    /// let response = session.run(request, |request| send_with_my_client(request)).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of `send`.
    pub async fn run<B, ResB, F, Fut, E>(
        &self,
        request: Request<B>,
        send: F,
    ) -> Result<Response<GareBody<ResB>>, E>
    where
        F: Fn(Request<B>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<Response<ResB>, E>> + Send + 'static,
        B: ReplayableBody + Send + 'static,
        ResB: Body<Error: Send> + Send + 'static,
        E: 'static,
    {
        let layer = GareLayer::from_session(self.clone());
        layer.layer(Sender(send)).call(request).await
    }
}
