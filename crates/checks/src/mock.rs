//! Services in process, and a reauthenticator that records its calls.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use globus_gare::layer::{GareBody, GareLayer, GareService, ReplayableBody};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, ReauthError,
    Reauthenticator,
};
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

pub type Body = Full<Bytes>;
pub type Service = GareService<BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>;
/// The response of a [`Service`].
pub type Answer = Response<GareBody<Body>>;

pub const MFA: &str =
    r#"{"code":"AuthorizationRequired","authorization_parameters":{"session_required_mfa":true}}"#;
pub const POLICY: &str = r#"{"code":"AuthorizationRequired","authorization_parameters":{"session_required_policies":["p"]}}"#;
pub const OTHER_POLICY: &str = r#"{"code":"AuthorizationRequired","authorization_parameters":{"session_required_policies":["q"]}}"#;
pub const CONSENT: &str =
    r#"{"code":"ConsentRequired","authorization_parameters":{"required_scopes":["s"]}}"#;

/// A body that cannot be sent again, like a stream.
pub struct Once;

impl ReplayableBody for Once {
    fn try_clone(&mut self) -> Option<Self> {
        None
    }
}

pub fn get(path: &str) -> Request<Body> {
    let uri = format!("https://transfer.api.globus.org{path}");
    Request::get(uri).body(Body::default()).expect("a request")
}

/// Adds a credential to a request.
pub fn presenting<B>(mut request: Request<B>, authorization: &str) -> Request<B> {
    let value = authorization.parse().expect("a value");
    request.headers_mut().insert("authorization", value);
    request
}

pub fn with<B>(mut request: Request<B>, options: GareOptions) -> Request<B> {
    request.extensions_mut().insert(options);
    request
}

pub fn answer(status: u16, body: &str) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response
        .body(Body::from(body.to_owned()))
        .expect("a response")
}

pub fn authorization<B>(request: &Request<B>) -> &str {
    request
        .headers()
        .get("authorization")
        .map_or("", |value| value.to_str().expect("ASCII"))
}

/// The number of the `Bearer token-N` in `request`, or 0.
pub fn token_number<B>(request: &Request<B>) -> usize {
    let number = authorization(request).strip_prefix("Bearer token-");
    number.map_or(0, |number| number.parse().unwrap_or(0))
}

/// The response of a service that accepts only `Bearer token-1`.
pub fn let_in_first(request: Request<Body>) -> Response<Body> {
    match authorization(&request) {
        "Bearer token-1" => answer(200, ""),
        _ => answer(403, MFA),
    }
}

/// Sends `request` and waits for the response.
pub async fn send(client: &Service, request: Request<Body>) -> Answer {
    let response = client.clone().oneshot(request).await;
    response.expect("a response")
}

/// Sends `request` in a new task.
pub fn spawn(client: &Service, request: Request<Body>) -> JoinHandle<Answer> {
    let client = client.clone();
    tokio::spawn(async move { send(&client, request).await })
}

/// Sends each request in a new task, once the requests before it wait.
pub async fn spawn_in_turn(
    client: &Service,
    requests: impl IntoIterator<Item = Request<Body>>,
) -> Vec<JoinHandle<Answer>> {
    let mut tasks = Vec::new();
    for request in requests {
        tasks.push(spawn(client, request));
        settle().await;
    }
    tasks
}

/// Waits for the responses of `tasks`.
pub async fn responses(tasks: impl IntoIterator<Item = JoinHandle<Answer>>) -> Vec<Answer> {
    let mut responses = Vec::new();
    for task in tasks {
        responses.push(task.await.expect("no panic"));
    }
    responses
}

pub fn outcome<B>(response: &Response<B>) -> &GareOutcome {
    let outcome = response.extensions().get::<GareOutcome>();
    outcome.expect("an outcome")
}

/// Whether the layer gave up on `response` since the login was declined.
pub fn is_declined<B>(response: &Response<B>) -> bool {
    match outcome(response).gave_up() {
        Some(GaveUp::Failed(error)) => error.is_declined(),
        Some(GaveUp::BackingOff { cause, .. }) => {
            cause.as_ref().is_some_and(ReauthError::is_declined)
        }
        _ => false,
    }
}

/// Lets all other tasks run until they wait.
pub async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A service of `handler` behind `layer`.
pub fn behind(
    layer: &GareLayer,
    handler: impl Fn(Request<Body>) -> Response<Body> + Clone + Send + Sync + 'static,
) -> Service {
    gated(layer, &Arc::new(Semaphore::new(0)), |_, _| false, handler)
}

/// As [`behind`], but the response waits for a permit of `gate` if `is_slow` is true of the path
/// and `Authorization`.
pub fn gated(
    layer: &GareLayer,
    gate: &Arc<Semaphore>,
    is_slow: fn(&str, &str) -> bool,
    handler: impl Fn(Request<Body>) -> Response<Body> + Clone + Send + Sync + 'static,
) -> Service {
    let gate = Arc::clone(gate);
    layer.layer(BoxCloneSyncService::new(service_fn(
        move |request: Request<Body>| {
            let (gate, handler) = (Arc::clone(&gate), handler.clone());
            async move {
                // Other tasks run before a real service answers.
                tokio::task::yield_now().await;
                if is_slow(request.uri().path(), authorization(&request)) {
                    gate.acquire().await.expect("open").forget();
                }
                Ok(handler(request))
            }
        },
    )))
}

/// A reauthenticator that counts logins, can hold them, and returns preset results.
#[derive(Clone)]
pub struct Login(Arc<State>);

struct State {
    gate: Semaphore,
    logins: AtomicUsize,
    look_ups: AtomicUsize,
    challenges: Mutex<Vec<Challenge>>,
    results: Mutex<VecDeque<Result<Credential, ReauthError>>>,
    stored: Mutex<Option<Credential>>,
}

impl Login {
    /// Every login returns `Bearer token-N` at once.
    pub fn at_once() -> Self {
        Self::gated(Semaphore::MAX_PERMITS)
    }

    /// As [`at_once`](Self::at_once), but each login waits for [`let_go`](Self::let_go).
    pub fn held() -> Self {
        Self::gated(0)
    }

    fn gated(permits: usize) -> Self {
        Self(Arc::new(State {
            gate: Semaphore::new(permits),
            logins: AtomicUsize::new(0),
            look_ups: AtomicUsize::new(0),
            challenges: Mutex::default(),
            results: Mutex::default(),
            stored: Mutex::default(),
        }))
    }

    /// A layer whose session logs in with this reauthenticator.
    pub fn layer(&self) -> GareLayer {
        GareLayer::new(self.clone())
    }

    /// Queues a result: the next login returns it.
    pub fn then(self, result: Result<Credential, ReauthError>) -> Self {
        self.0.results.lock().expect("no panic").push_back(result);
        self
    }

    /// Sets the credential that a look-up finds.
    pub fn stored(self, token: &str) -> Self {
        self.store(token);
        self
    }

    pub fn store(&self, token: &str) {
        *self.0.stored.lock().expect("no panic") =
            Some(Credential::bearer(token).expect("a token"));
    }

    pub fn let_go(&self) {
        self.0.gate.add_permits(1);
    }

    pub fn logins(&self) -> usize {
        self.0.logins.load(Ordering::SeqCst)
    }

    pub fn look_ups(&self) -> usize {
        self.0.look_ups.load(Ordering::SeqCst)
    }

    pub fn challenges(&self) -> Vec<Challenge> {
        self.0.challenges.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl Reauthenticator for Login {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let login = self.0.logins.fetch_add(1, Ordering::SeqCst) + 1;
        self.0
            .challenges
            .lock()
            .expect("no panic")
            .push(challenge.clone());
        self.0.gate.acquire().await.expect("open").forget();
        let queued = self.0.results.lock().expect("no panic").pop_front();
        queued.unwrap_or_else(|| Ok(Credential::bearer(format!("token-{login}"))?))
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        self.0.look_ups.fetch_add(1, Ordering::SeqCst);
        Ok(self.0.stored.lock().expect("no panic").clone())
    }
}
