//! A Globus service in process, and a login that a test lets go.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOutcome, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::{Service, service_fn};

pub(crate) type Body = Full<Bytes>;

pub(crate) const GARE: &str = r#"{"authorization_parameters":{"session_required_mfa":true}}"#;

pub(crate) fn get() -> Request<Body> {
    let request = Request::get("https://transfer.api.globus.org/v0.10/task_list");
    request.body(Body::default()).expect("a request")
}

/// As [`get`], by one who comes with a credential of their own.
pub(crate) fn get_as(bearer: &str) -> Request<Body> {
    let mut request = get();
    let value = format!("Bearer {bearer}").parse().expect("a value");
    request.headers_mut().insert("authorization", value);
    request
}

pub(crate) fn answer(status: u16, body: &'static str) -> Response<Body> {
    let response = Response::builder().status(status);
    response.body(Body::from(body)).expect("a response")
}

/// Refuses with a 502 whoever comes without `Bearer fresh`, and counts who comes.
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
            let known = presented.iter().eq(["Bearer fresh"]);
            async move {
                tokio::task::yield_now().await;
                Ok(if known {
                    answer(200, "in")
                } else {
                    answer(502, GARE)
                })
            }
        })
    }
}

/// Every login gives `Bearer fresh`, once it is let go.
#[derive(Clone)]
pub(crate) struct Login(Arc<Semaphore>);

impl Login {
    pub(crate) fn at_once() -> Self {
        Self(Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)))
    }

    pub(crate) fn held() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn let_go(&self) {
        self.0.add_permits(1);
    }

    pub(crate) fn layer(&self) -> GareLayer {
        let gate = Arc::clone(&self.0);
        GareLayer::new(reauth_fn(move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.expect("open").forget();
                Ok(Credential::bearer("fresh")?)
            }
        }))
    }
}

/// What the outcome says: the refusal's name, or nothing of a refusal.
pub(crate) fn told<B>(response: &Response<B>) -> Option<&'static str> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    Some(outcome.refusal().map_or("", |refusal| refusal.name()))
}
