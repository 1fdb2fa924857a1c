//! What a layer cannot do without: the floor that the others stand on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::Either;
use pin_project_lite::pin_project;
use tower::Service;

/// Looks at the status of each answer, and wraps its body, for some may have been read.
#[derive(Clone)]
pub struct Probe<S> {
    pub inner: S,
    /// Whether it looks where a request goes, too, and whether it has a credential.
    pub looks_at_requests: bool,
}

pin_project! {
    pub struct Probing<F> {
        #[pin]
        future: F,
        is_watched: bool,
        refused: bool,
    }
}

impl<S, B, ResB> Service<Request<B>> for Probe<S>
where
    S: Service<Request<B>, Response = Response<ResB>> + Clone,
{
    type Response = Response<Either<ResB, Box<ResB>>>;
    type Error = S::Error;
    type Future = Probing<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let clone = self.inner.clone();
        let mut service = std::mem::replace(&mut self.inner, clone);
        let is_watched = !self.looks_at_requests || {
            let place = request.uri().authority();
            place.is_some_and(|place| place.as_str() == "transfer.api.globus.org")
                && request.headers().contains_key(AUTHORIZATION)
        };
        Probing {
            future: service.call(request),
            is_watched,
            refused: false,
        }
    }
}

impl<F, ResB, E> Future for Probing<F>
where
    F: Future<Output = Result<Response<ResB>, E>>,
{
    type Output = Result<Response<Either<ResB, Box<ResB>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.future.poll(cx));
        let is_refusal =
            |status: StatusCode| status.is_client_error() || status == StatusCode::BAD_GATEWAY;
        let refused = answer
            .as_ref()
            .is_ok_and(|answer| is_refusal(answer.status()));
        *this.refused = refused && *this.is_watched;
        Poll::Ready(answer.map(|answer| answer.map(Either::Left)))
    }
}
