//! Requests whose body can be sent only once, and the copy that is kept of a request.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::{Ready, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use globus_gare::layer::{GareLayer, GareService, ReplayableBody};
use globus_gare::reauth::{
    GareOptions, GareOutcome, ResponseUrl, Session, SessionBuilder, Stats, Trust,
};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use tokio_test::{assert_ready, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context as Of, Layer as _, SubscriberExt};

use checks::mock::{
    Body, Login, MFA, Once, answer, authorization, behind, get, let_in_first, presenting, with,
};

type Answer = fn() -> Response<Body>;
type Sent = Arc<Mutex<Vec<String>>>;
type Set = fn(SessionBuilder) -> SessionBuilder;

/// The results of a request for the caller and the service.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    body: String,
    outcome: Option<String>,
    credentials: Vec<String>,
    logins: usize,
    stats: Stats,
    events: Vec<String>,
}

/// Records each event of the session with its fields.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

struct Note(String);

impl Visit for Note {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Notes {
    fn on_event(&self, event: &tracing::Event<'_>, _: Of<'_, S>) {
        let mut note = Note(String::new());
        event.record(&mut note);
        if event.metadata().target() == "globus_gare" {
            self.0.lock().expect("whole").push(note.0);
        }
    }
}

/// Sends `request`, after `others` that were accepted.
async fn seen(set: Set, others: usize, request: Request<Once>, challenge: Answer) -> Seen {
    let login = Login::at_once();
    let session = set(Session::builder(login.clone())).build();
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Once>| {
        log.lock()
            .expect("whole")
            .push(authorization(&request).to_owned());
        let is_accepted = request.uri().path() == "/accepted";
        let answer = if is_accepted {
            answer(200, "")
        } else {
            challenge()
        };
        async move { Ok::<_, Infallible>(answer) }
    });
    let client = GareLayer::from_session(session.clone()).layer(service);
    for _ in 0..others {
        let response = client.clone().oneshot(accepted()).await.expect("an answer");
        assert_eq!(response.status(), 200);
    }
    sent.lock().expect("whole").clear();
    let notes = Notes::default();
    let subscriber = tracing_subscriber::registry().with(notes.clone().boxed());
    let _listening = tracing::subscriber::set_default(subscriber);
    let response = client.oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let told = head.extensions.get::<GareOutcome>();
    Seen {
        status: head.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
        outcome: told.map(|told| format!("{told:?}")),
        credentials: sent.lock().expect("whole").clone(),
        logins: login.logins(),
        stats: session.stats(),
        events: notes.0.lock().expect("whole").clone(),
    }
}

fn once(path: &str) -> Request<Once> {
    presenting(get(path).map(|_| Once), "Bearer theirs")
}

fn accepted() -> Request<Once> {
    once("/accepted")
}

fn requests() -> Vec<(&'static str, Request<Once>)> {
    let mut bare = once("/");
    bare.headers_mut().clear();
    let mut elsewhere = once("/");
    *elsewhere.uri_mut() = Uri::from_static("https://groups.api.globus.org/");
    let mut untrusted = once("/");
    *untrusted.uri_mut() = Uri::from_static("https://example.org/");
    let mut later = once("/");
    later.headers_mut().clear();
    later
        .headers_mut()
        .insert("accept", "a".parse().expect("a value"));
    let method = |name: &str| {
        let mut request = once("/");
        *request.method_mut() = name.parse().expect("a method");
        request
    };
    let options = GareOptions::new;
    vec![
        ("plain", once("/")),
        ("for a client", presenting(once("/"), "Basic dTpw")),
        ("without a credential", bare),
        ("with it later", presenting(later, "Bearer theirs")),
        ("elsewhere", elsewhere),
        ("to a stranger", untrusted),
        ("head", method("HEAD")),
        ("options", method("OPTIONS")),
        ("delete", method("DELETE")),
        ("patch", method("PATCH")),
        ("connect", method("CONNECT")),
        ("of another protocol", method("PROPFIND")),
        ("of a login", once("/v2/oauth2/token?a=b")),
        ("never", with(once("/"), options().bypass())),
        ("to log in", with(once("/"), options().login_only())),
        ("of a name", with(once("/"), options().principal("ada"))),
    ]
}

#[checks::test]
async fn earlier_requests_change_no_outcome() {
    // While there is only one subscriber, a call site that another test comes to
    // first asks that test's thread whether anybody listens.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let answers: [(&str, Answer); 6] = [
        ("accepted", || answer(201, "{}")),
        ("asked", || answer(403, MFA)),
        ("asked by a gateway", || answer(502, MFA)),
        ("rejected", || answer(401, "{}")),
        ("failed", || answer(500, MFA)),
        ("asked by a stranger", || {
            let mut answer = answer(403, MFA);
            let stranger = Uri::from_static("https://example.org/");
            answer.extensions_mut().insert(ResponseUrl(stranger));
            answer
        }),
    ];
    let settings: [Set; 2] = [
        |session| session,
        |session| session.login_if_not_replayable(false),
    ];
    for set in settings {
        for (said, answer) in answers {
            // Earlier requests do not change the result.
            for ((what, first), (_, second)) in requests().into_iter().zip(requests()) {
                let alone = seen(set, 0, first, answer).await;
                let among_others = seen(set, 2, second, answer).await;
                assert_eq!(alone, among_others, "{what}, {said}");
            }
        }
    }
}

#[checks::test]
async fn unreplayable_request_gets_the_reason_it_gave_up() {
    let settings: [(Set, usize); 2] = [
        (|session| session, 1),
        (|session| session.login_if_not_replayable(false), 0),
    ];
    for (set, logins) in settings {
        let seen = seen(set, 2, once("/"), || answer(403, MFA)).await;
        assert_eq!((seen.status, &seen.body[..]), (403, MFA));
        let outcome = seen.outcome.expect("an outcome");
        assert!(
            outcome.contains("NotReplayable") && outcome.contains("session_required_mfa"),
            "{outcome}"
        );
        assert_eq!(seen.credentials, ["Bearer theirs"]);
        assert_eq!((seen.logins, seen.stats.challenges), (logins, 1));
    }
}

#[checks::test]
async fn unreplayable_request_is_sent_with_the_successor() {
    let layer = GareLayer::new(Login::at_once());
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let stream = layer.layer(service_fn(move |request: Request<Once>| {
        let credential = authorization(&request).to_owned();
        log.lock().expect("whole").push(credential);
        async { Ok::<_, Infallible>(answer(200, "")) }
    }));
    let other = behind(&layer, let_in_first);
    for _ in 0..2 {
        let response = stream.clone().oneshot(accepted()).await;
        assert_eq!(response.expect("an answer").status(), 200);
    }
    let refused = presenting(get("/"), "Bearer theirs");
    let response = other.oneshot(refused).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let response = stream.oneshot(accepted()).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let sent = sent.lock().expect("whole");
    assert_eq!(*sent, ["Bearer theirs", "Bearer theirs", "Bearer token-1"]);
}

/// A service that must be ready for each call, such as one with a permit. Its clones are not ready.
struct Readied {
    is_ready: bool,
    clones: Arc<AtomicUsize>,
}

impl Clone for Readied {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::SeqCst);
        Self {
            is_ready: false,
            clones: Arc::clone(&self.clones),
        }
    }
}

impl<B> Service<Request<B>> for Readied {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called before it was ready"
        );
        ready(Ok(answer(200, "")))
    }
}

async fn send<B: ReplayableBody + Send + 'static>(
    client: &mut GareService<Readied>,
    request: Request<B>,
) {
    let ready = ServiceExt::<Request<B>>::ready(client).await;
    let response = ready.expect("no error").call(request).await;
    assert_eq!(response.expect("an answer").status(), 200);
}

#[checks::test]
async fn ready_service_is_called_and_its_clone_is_kept() {
    let clones = Arc::new(AtomicUsize::new(0));
    let mut client = GareLayer::new(Login::at_once()).layer(Readied {
        is_ready: false,
        clones: Arc::clone(&clones),
    });
    let cloned = || clones.swap(0, Ordering::SeqCst);
    send(&mut client, accepted()).await;
    assert_eq!(cloned(), 1, "its challenge may lead to a login");
    let replayable = || presenting(get("/"), "Bearer theirs");
    send(&mut client, replayable()).await;
    assert_eq!(cloned(), 1, "it may be sent again");
    let mut elsewhere = replayable();
    *elsewhere.uri_mut() = Uri::from_static("https://example.org/");
    send(&mut client, elsewhere).await;
    send(&mut client, with(replayable(), GareOptions::new().bypass())).await;
    assert_eq!(cloned(), 0, "its copy is not kept");
}

#[checks::test]
async fn untrusted_challenge_is_reported_within_the_inspect_limit() {
    for (limit, told) in [(MFA.len() - 1, false), (MFA.len(), true)] {
        let session = Session::builder(Login::at_once()).trust(Trust::none());
        let layer = GareLayer::from_session(session.build()).max_inspect(limit);
        let client = layer.layer(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(answer(403, MFA))
        }));
        let response = client.oneshot(get("/")).await.expect("an answer");
        let outcome = response.extensions().get::<GareOutcome>();
        assert_eq!(outcome.is_some(), told, "{limit}");
    }
}

/// A value in a request's extensions, to observe when it is dropped.
#[derive(Clone)]
struct Held(#[allow(dead_code)] Arc<()>);

#[checks::test]
async fn response_and_error_release_the_kept_request() {
    for answered in [Ok(200), Ok(404), Ok(500), Err("reset")] {
        let held = Arc::new(());
        let inner = Arc::clone(&held);
        let mut client =
            GareLayer::new(Login::at_once()).layer(service_fn(move |_: Request<Body>| {
                let inner = Held(Arc::clone(&inner));
                async move {
                    let _inner = inner;
                    answered.map(|status| answer(status, ""))
                }
            }));
        let before = Arc::strong_count(&held);
        let mut request = presenting(get("/"), "Bearer theirs");
        request.extensions_mut().insert(Held(Arc::clone(&held)));
        let mut response = task::spawn(client.call(request));
        let answered = assert_ready!(response.poll());
        drop(answered);
        assert_eq!(Arc::strong_count(&held), before);
    }
}

#[checks::test]
async fn future_polled_after_completion_panics() {
    for uri in ["https://transfer.api.globus.org/", "https://example.org/"] {
        for status in [200, 403] {
            let layer = GareLayer::new(Login::at_once());
            let mut client = layer.layer(service_fn(move |_: Request<Body>| async move {
                Ok::<_, Infallible>(answer(status, "{}"))
            }));
            let mut request = presenting(get("/"), "Bearer theirs");
            *request.uri_mut() = uri.parse().expect(uri);
            let mut response = task::spawn(client.call(request));
            assert_ready!(response.poll()).expect("an answer");
            let again = catch_unwind(AssertUnwindSafe(|| drop(response.poll())));
            assert!(again.is_err(), "{status} from {uri}");
        }
    }
}
