//! A Globus service in process.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use checks::mock::{self, Body, MFA, answer, presenting};
use globus_gare::reauth::GareOutcome;
use http::{Request, Response};
use tower::{Service, service_fn};

pub(crate) fn get() -> Request<Body> {
    mock::get("/v0.10/task_list")
}

/// As [`get`], with a credential of its own.
pub(crate) fn get_as(bearer: &str) -> Request<Body> {
    presenting(get(), &format!("Bearer {bearer}"))
}

/// Challenges a request without `Bearer token-1`, with a 502. Counts requests.
#[derive(Clone, Default)]
pub(crate) struct Globus {
    requests: Arc<AtomicUsize>,
}

impl Globus {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }

    pub(crate) fn service(
        &self,
    ) -> impl Service<
        Request<Body>,
        Response = Response<Body>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static {
        let requests = Arc::clone(&self.requests);
        service_fn(move |request: Request<Body>| {
            requests.fetch_add(1, SeqCst);
            let presented = request.headers().get_all("authorization");
            let known = presented.iter().eq(["Bearer token-1"]);
            async move {
                tokio::task::yield_now().await;
                Ok(if known {
                    answer(200, "in")
                } else {
                    answer(502, MFA)
                })
            }
        })
    }
}

/// The name of the reason why the layer gave up, if it did.
pub(crate) fn gave_up<B>(response: &Response<B>) -> Option<&'static str> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    Some(outcome.gave_up().map_or("", |reason| reason.name()))
}
