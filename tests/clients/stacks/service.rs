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

/// As [`get`], by one who comes with a credential of their own.
pub(crate) fn get_as(bearer: &str) -> Request<Body> {
    presenting(get(), &format!("Bearer {bearer}"))
}

/// Refuses with a 502 whoever comes without `Bearer token-1`, and counts who comes.
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

/// What the outcome says: the refusal's name, or nothing of a refusal.
pub(crate) fn told<B>(response: &Response<B>) -> Option<&'static str> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    Some(outcome.gave_up().map_or("", |refusal| refusal.name()))
}
