//! Several resource servers at one origin: each has credentials, logins and backoffs of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GaveUp, Principal, ReauthError,
    Reauthenticator, RequestHead, Session, Target,
};
use http::Request;
use tokio::sync::Semaphore;
use tokio::time::advance;

use checks::mock::{
    Body, MFA, Service, answer, authorization, behind, get, outcome, presenting, responses, send,
    settle, spawn, with,
};

/// A login brings the token `of-{resource server}-{number}`. Paths below `/ruled` belong to
/// `ruled`.
#[derive(Clone)]
struct Flows(Arc<State>);

struct State {
    logins: Mutex<Vec<String>>,
    look_ups: Mutex<Vec<String>>,
    gate: Semaphore,
    declines: Option<&'static str>,
}

impl Flows {
    fn new(permits: usize, declines: Option<&'static str>) -> Self {
        Self(Arc::new(State {
            logins: Mutex::default(),
            look_ups: Mutex::default(),
            gate: Semaphore::new(permits),
            declines,
        }))
    }

    fn at_once() -> Self {
        Self::new(Semaphore::MAX_PERMITS, None)
    }

    fn logins(&self) -> Vec<String> {
        self.0.logins.lock().expect("whole").clone()
    }

    fn look_ups(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.look_ups.lock().expect("whole"))
    }
}

fn server(target: &Target) -> String {
    target.resource_server().unwrap_or("all").to_owned()
}

#[async_trait]
impl Reauthenticator for Flows {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let server = server(challenge.target());
        let number = {
            let mut logins = self.0.logins.lock().expect("whole");
            logins.push(server.clone());
            logins.len()
        };
        self.0.gate.acquire().await.expect("open").forget();
        if self.0.declines == Some(&*server) {
            return Err(ReauthError::declined());
        }
        Ok(Credential::bearer(format!("of-{server}-{number}"))?)
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let mut look_ups = self.0.look_ups.lock().expect("whole");
        look_ups.push(server(request.target()));
        Ok(None)
    }

    fn resource_server(&self, request: &RequestHead<'_>) -> Option<Arc<str>> {
        let origin = request.origin().expect("an origin");
        assert_eq!(origin.host(), "transfer.api.globus.org");
        request.path().starts_with("/ruled").then(|| "ruled".into())
    }
}

/// A request for a path of this resource server. `all` is the resource server of the origin.
fn of(server: &str) -> Request<Body> {
    let request = get(&format!("/{server}"));
    match server {
        "all" | "ruled" => request,
        server => with(request, GareOptions::new().resource_server(server)),
    }
}

/// A service whose paths accept only tokens of their own resource server, and the requests it got.
fn service(session: &Session) -> (Service, Arc<Mutex<Vec<String>>>) {
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&sent);
    let service = behind(&GareLayer::from_session(session.clone()), move |request| {
        let (path, token) = (request.uri().path(), authorization(&request));
        told.lock().expect("whole").push(format!("{path} {token}"));
        let own = format!("Bearer of-{}-", &path[1..]);
        match token.starts_with(&own) {
            true => answer(200, ""),
            false => answer(403, MFA),
        }
    });
    (service, sent)
}

#[checks::test]
async fn resource_servers_of_an_origin_never_share_a_token() {
    let flows = Flows::at_once();
    let (client, sent) = service(&Session::new(flows.clone()));
    for server in ["all", "a", "b", "ruled", "b", "a", "ruled", "all"] {
        let response = send(&client, of(server)).await;
        assert_eq!(response.status(), 200, "{server}");
    }
    assert_eq!(flows.logins(), ["all", "a", "b", "ruled"]);
    let expected = [
        "/all ",
        "/all Bearer of-all-1",
        "/a ",
        "/a Bearer of-a-2",
        "/b ",
        "/b Bearer of-b-3",
        "/ruled ",
        "/ruled Bearer of-ruled-4",
        "/b Bearer of-b-3",
        "/a Bearer of-a-2",
        "/ruled Bearer of-ruled-4",
        "/all Bearer of-all-1",
    ];
    assert_eq!(*sent.lock().expect("whole"), expected);
    // A look-up before the request is sent, and one before the login.
    let mut look_ups = flows.look_ups();
    look_ups.dedup();
    assert_eq!(look_ups, ["all", "a", "b", "ruled"]);
}

#[checks::test]
async fn option_of_a_request_wins_over_the_reauthenticator() {
    let flows = Flows::at_once();
    let (client, sent) = service(&Session::new(flows.clone()));
    let request = with(get("/ruled"), GareOptions::new().resource_server("a"));
    let response = send(&client, request).await;
    assert_eq!(response.status(), 403);
    assert_eq!(flows.logins(), ["a"]);
    let sent = sent.lock().expect("whole").clone();
    assert_eq!(sent, ["/ruled ", "/ruled Bearer of-a-1"]);
}

#[checks::test(start_paused = true)]
async fn failed_login_backs_off_only_its_resource_server() {
    let flows = Flows::new(Semaphore::MAX_PERMITS, Some("a"));
    let (client, _) = service(&Session::new(flows.clone()));
    assert_eq!(send(&client, of("a")).await.status(), 403);
    let again = send(&client, of("a")).await;
    let reason = outcome(&again).gave_up();
    assert!(
        matches!(reason, Some(GaveUp::BackingOff { .. })),
        "{reason:?}"
    );
    for server in ["b", "all", "ruled"] {
        assert_eq!(send(&client, of(server)).await.status(), 200, "{server}");
    }
    assert_eq!(flows.logins(), ["a", "b", "all", "ruled"]);
}

/// The service never accepts the token for `a`.
#[checks::test(start_paused = true)]
async fn useless_login_backs_off_only_its_resource_server() {
    let flows = Flows::at_once();
    let session = Session::new(flows.clone());
    let client = behind(
        &GareLayer::from_session(session),
        |request| match authorization(&request) {
            token if token.starts_with("Bearer of-b-") => answer(200, ""),
            _ => answer(403, MFA),
        },
    );
    let at = |server: &str| with(get("/x"), GareOptions::new().resource_server(server));
    for _ in 0..3 {
        let response = send(&client, at("a")).await;
        assert_eq!(response.status(), 403);
    }
    assert_eq!(send(&client, at("b")).await.status(), 200);
    assert_eq!(flows.logins(), ["a", "b"]);
}

#[checks::test(start_paused = true)]
async fn login_is_joined_only_for_its_resource_server() {
    let flows = Flows::new(0, None);
    let (client, sent) = service(&Session::new(flows.clone()));
    let mut tasks = Vec::new();
    for server in ["a", "a", "b", "b"] {
        tasks.push(spawn(&client, of(server)));
        settle().await;
    }
    assert_eq!(flows.logins(), ["a"], "one at a time");
    flows.0.gate.add_permits(2);
    for response in responses(tasks).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(flows.logins(), ["a", "b"]);
    let sent = sent.lock().expect("whole");
    let is_mixed =
        |line: &&String| line.starts_with("/a Bearer of-b") || line.starts_with("/b Bearer of-a");
    assert_eq!(sent.iter().find(is_mixed), None);
}

#[checks::test]
async fn session_sets_and_invalidates_one_resource_server() {
    let session = Session::new(Flows::at_once());
    let origin = "https://transfer.api.globus.org".parse();
    let all = Target::new(origin.expect("an origin"), Principal::Session);
    let [a, b] = ["a", "b"].map(|server| all.clone().with_resource_server(server));
    let held = async |target: &Target| {
        let held = session.credential(target).await.expect("no error");
        held.map(|held| held.header_value().to_str().expect("text").to_owned())
    };
    for (target, token) in [(&a, "of-a-0"), (&b, "of-b-0")] {
        let credential = Credential::bearer(token).expect("a token");
        session.set_credential(target, credential).expect("ours");
    }
    assert_eq!(held(&all).await, None);
    assert_eq!(held(&a).await.as_deref(), Some("Bearer of-a-0"));
    session.invalidate(&a);
    assert_eq!(held(&a).await, None);
    assert_eq!(held(&b).await.as_deref(), Some("Bearer of-b-0"));
    let (client, sent) = service(&session);
    assert_eq!(send(&client, of("b")).await.status(), 200);
    assert_eq!(*sent.lock().expect("whole"), ["/b Bearer of-b-0"]);
}

/// In a session of one person, presented tokens are kept for each resource server.
#[checks::test]
async fn presented_tokens_are_separate_by_resource_server() {
    let session = Session::builder(Flows::at_once()).one_person().build();
    let (client, sent) = service(&session);
    for (server, token) in [("a", "of-a-0"), ("b", "of-b-0"), ("a", "of-a-0")] {
        let request = presenting(of(server), &format!("Bearer {token}"));
        assert_eq!(send(&client, request).await.status(), 200, "{server}");
    }
    let expected = ["/a Bearer of-a-0", "/b Bearer of-b-0", "/a Bearer of-a-0"];
    assert_eq!(*sent.lock().expect("whole"), expected);
}

#[checks::test(start_paused = true)]
async fn credential_is_refreshed_for_its_resource_server() {
    let flows = Flows::at_once();
    let session = Session::new(flows.clone());
    let origin = "https://transfer.api.globus.org".parse();
    let all = Target::new(origin.expect("an origin"), Principal::Session);
    let (client, _) = service(&session);
    for (server, is_soon) in [("a", 60), ("b", 110)] {
        let credential = Credential::bearer(format!("of-{server}-0")).expect("a token");
        let credential = credential.with_lifetime(Duration::from_secs(100));
        let target = all.clone().with_resource_server(server);
        session.set_credential(&target, credential).expect("ours");
        // The credential ends soon, or has expired.
        advance(Duration::from_secs(is_soon)).await;
        assert_eq!(send(&client, of(server)).await.status(), 200, "{server}");
        settle().await;
        assert_eq!(flows.look_ups(), [server]);
    }
    assert!(flows.logins().is_empty());
}
