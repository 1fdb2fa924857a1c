//! Requests whose body is read once: less is kept of those that are as usual, and nobody can tell.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{AnsweredBy, GareOptions, GareOutcome, Session, Stats};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::service::{
    Body, Login, MFA, Once, answer, authorization, behind, get, presenting, with,
};

type Answer = fn() -> Response<Body>;
type Sent = Arc<Mutex<Vec<String>>>;

/// What a caller and the service see of a request.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    body: String,
    outcome: Option<String>,
    credentials: Vec<String>,
    logins: usize,
    stats: Stats,
}

/// Sends `request`, after others that were let in.
async fn seen(
    set: fn(Session) -> Session,
    others: usize,
    request: Request<Once>,
    refusal: Answer,
) -> Seen {
    let login = Login::at_once();
    let session = set(Session::new(login.clone()));
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Once>| {
        log.lock()
            .expect("whole")
            .push(authorization(&request).to_owned());
        let is_usual = request.uri().path() == "/usual";
        let answer = if is_usual { answer(200, "") } else { refusal() };
        async move { Ok::<_, Infallible>(answer) }
    });
    let client = GareLayer::from_session(session.clone()).layer(service);
    for _ in 0..others {
        let response = client.clone().oneshot(usual()).await.expect("an answer");
        assert_eq!(response.status(), 200);
    }
    sent.lock().expect("whole").clear();
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
    }
}

fn once(path: &str) -> Request<Once> {
    presenting(get(path).map(|_| Once), "Bearer theirs")
}

fn usual() -> Request<Once> {
    once("/usual")
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
        ("as usual", once("/")),
        ("for a client", presenting(once("/"), "Basic dTpw")),
        ("without a credential", bare),
        ("with it later", presenting(later, "Bearer theirs")),
        ("elsewhere", elsewhere),
        ("to a stranger", untrusted),
        ("head", method("HEAD")),
        ("of another protocol", method("PROPFIND")),
        ("of a login", once("/v2/oauth2/token?a=b")),
        ("never", with(once("/"), options().never())),
        (
            "to log in",
            with(once("/"), options().login_without_replay()),
        ),
        ("of a name", with(once("/"), options().identity("ada"))),
    ]
}

#[tokio::test]
async fn whatever_is_kept_of_it_it_ends_in_the_same_way() {
    let answers: [(&str, Answer); 6] = [
        ("let in", || answer(201, "{}")),
        ("asked", || answer(403, MFA)),
        ("asked by a gateway", || answer(502, MFA)),
        ("refused", || answer(401, "{}")),
        ("failed", || answer(500, MFA)),
        ("asked by a stranger", || {
            let mut answer = answer(403, MFA);
            let stranger = Uri::from_static("https://example.org/");
            answer.extensions_mut().insert(AnsweredBy(stranger));
            answer
        }),
    ];
    let settings: [fn(Session) -> Session; 2] = [
        |session| session,
        |session| session.login_for_unreplayable(true),
    ];
    for set in settings {
        for (said, answer) in answers {
            // What is sent first is what is usual; so it is where nothing is before it.
            for ((what, first), (_, second)) in requests().into_iter().zip(requests()) {
                let alone = seen(set, 0, first, answer).await;
                let among_others = seen(set, 2, second, answer).await;
                assert_eq!(alone, among_others, "{what}, {said}");
            }
        }
    }
}

#[tokio::test]
async fn one_among_many_is_told_why_it_was_refused() {
    let seen = seen(|session| session, 2, once("/"), || answer(403, MFA)).await;
    assert_eq!((seen.status, &seen.body[..]), (403, MFA));
    let outcome = seen.outcome.expect("an outcome");
    assert!(
        outcome.contains("NotReplayable") && outcome.contains("session_required_mfa"),
        "{outcome}"
    );
    assert_eq!(seen.credentials, ["Bearer theirs"]);
    assert_eq!((seen.logins, seen.stats.challenges), (0, 1));
}

#[tokio::test]
async fn its_credential_may_have_a_successor() {
    let layer = GareLayer::new(Login::at_once());
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let stream = layer.layer(service_fn(move |request: Request<Once>| {
        let credential = authorization(&request).to_owned();
        log.lock().expect("whole").push(credential);
        async { Ok::<_, Infallible>(answer(200, "")) }
    }));
    let other = behind(&layer, |request| match authorization(&request) {
        "Bearer token-1" => answer(200, ""),
        _ => answer(403, MFA),
    });
    for _ in 0..2 {
        let response = stream.clone().oneshot(usual()).await;
        assert_eq!(response.expect("an answer").status(), 200);
    }
    let refused = presenting(get("/"), "Bearer theirs");
    let response = other.oneshot(refused).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let response = stream.oneshot(usual()).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let sent = sent.lock().expect("whole");
    assert_eq!(*sent, ["Bearer theirs", "Bearer theirs", "Bearer token-1"]);
}
