//! The programs under attack, and the attacker's servers.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request as Incoming;
use bytes::Bytes;
use checks::browser::{Browser, parameter, sent_to};
use checks::mock::{self, Answer, Body, Login, Service};
use checks::sample::Sample;
use fake_globus::{Collection, FakeGlobus, Identity, Person};
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{GareOutcome, Principal, Session, Trust};
use globus_gare::reqwest::HttpService;
use globus_login::{GlobusApp, GlobusAppBuilder};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt};
use url::Url;

pub(crate) const MALLORY: &str = "mallory@evil.example";

/// A program that has a token for every service, and whose every login succeeds. Only the session
/// keeps a token from an attacker.
pub(crate) struct Victim {
    pub(crate) client: Service,
    pub(crate) login: Login,
    sent: Arc<Mutex<Vec<(String, String)>>>,
}

impl Victim {
    /// Makes a program whose every host responds with `answer`, the attacker's response.
    pub(crate) fn new(
        trust: Trust,
        answer: impl Fn(&Request<Body>) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let login = Login::at_once().stored("at-hand");
        let session = Session::builder(login.clone()).trust(trust).build();
        Self::of(login, session, answer)
    }

    pub(crate) fn of(
        login: Login,
        session: Session,
        answer: impl Fn(&Request<Body>) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let sent = Arc::<Mutex<Vec<_>>>::default();
        let log = Arc::clone(&sent);
        let client = mock::behind(&GareLayer::from_session(session), move |request| {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let token = mock::authorization(&request).to_owned();
            log.lock().expect("whole").push((host, token));
            answer(&request)
        });
        Self {
            client,
            login,
            sent,
        }
    }

    pub(crate) async fn visit(&self, url: &str) -> Answer {
        let request = Request::get(url).body(Body::default());
        mock::send(&self.client, request.expect("a request")).await
    }

    /// The `Authorization` of each request that had one, and the host that got it.
    pub(crate) fn leaked(&self) -> Vec<(String, String)> {
        let sent = self.sent.lock().expect("whole");
        let leaked = sent.iter().filter(|(_, token)| !token.is_empty());
        leaked.cloned().collect()
    }
}

/// The attacker's server. It keeps all requests.
pub(crate) struct Attacker {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Attacker {
    /// Starts a server. `answer` gets the target, the headers and the body of a request, as text.
    pub(crate) async fn new(
        answer: impl Fn(&str) -> Response<String> + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::<Mutex<Vec<_>>>::default();
        let log = Arc::clone(&heard);
        let router = Router::new().fallback(move |request: Incoming| {
            let (log, answer) = (Arc::clone(&log), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = to_bytes(body, 1 << 20).await.expect("a body");
                let body = String::from_utf8_lossy(&body);
                let text = format!("{} {:?} {body}", head.uri, head.headers);
                log.lock().expect("whole").push(text.clone());
                answer(&text)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, heard }
    }

    pub(crate) async fn always(response: Response<String>) -> Self {
        Self::new(move |_| response.clone()).await
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.heard.lock().expect("whole").clone()
    }

    /// Asserts that the attacker was reached, and got no credential.
    #[track_caller]
    pub(crate) fn assert_got_nothing(&self) {
        let heard = self.requests();
        assert!(!heard.is_empty(), "nobody came");
        let leaked = heard.iter().find(|text| text.contains("authorization\""));
        assert_eq!(leaked, None);
    }
}

pub(crate) fn response(status: u16, body: impl Into<String>) -> Response<String> {
    let response = Response::builder().status(status);
    let response = response.header("content-type", "application/json");
    response.body(body.into()).expect("a response")
}

pub(crate) fn redirect(status: u16, to: &str) -> Response<String> {
    let response = Response::builder().status(status).header("location", to);
    response.body(String::new()).expect("a response")
}

/// A Globus whose person is Ada. Mallory has an account too.
pub(crate) async fn globus(collection: impl FnOnce(Collection) -> Collection) -> Sample {
    let mallory = Identity::new("mallory", "evil.example");
    Sample::with(collection, |server| server.identity(mallory)).await
}

/// The program of a person who agrees to every login.
pub(crate) fn app(globus: &FakeGlobus, person: &Browser) -> GlobusAppBuilder {
    let clock = globus.clock();
    GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .prompt(person.clone())
        .clock(move || clock.now())
}

pub(crate) async fn logged_in(builder: GlobusAppBuilder) -> GlobusApp {
    let app = builder.build().expect("an app");
    app.login().await.expect("a login");
    app
}

/// The user who is logged in.
pub(crate) async fn logged_in_user(app: &GlobusApp) -> Option<String> {
    let info = app.for_user(&Principal::Session).info().await;
    let info = info.expect("it can be read")?;
    info.sub().map(str::to_owned)
}

pub(crate) type Client = GareService<HttpService>;

/// A client that follows redirects.
pub(crate) fn client(app: &GlobusApp, trust: Trust) -> Client {
    let session = Session::builder(app.clone()).trust(trust).build();
    let http = HttpService::from_builder(reqwest::Client::builder().no_proxy());
    GareLayer::from_session(session).layer(http.expect("a client"))
}

/// The status, the text, and the name of the reason why the layer gave up.
pub(crate) async fn get(client: &Client, url: &str) -> (u16, String, Option<&'static str>) {
    let request = Request::get(url).body(Full::<Bytes>::default());
    send(client, request.expect("a request")).await
}

pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> (u16, String, Option<&'static str>) {
    let response = client.clone().oneshot(request).await;
    let (head, body) = response.expect("an answer").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let outcome = head.extensions.get::<GareOutcome>();
    let gave_up = outcome.and_then(GareOutcome::gave_up);
    let text = String::from_utf8_lossy(&body).into_owned();
    (
        head.status.as_u16(),
        text,
        gave_up.map(|reason| reason.name()),
    )
}

/// The PKCE verifier of Mallory's own login, and its challenge (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Logs Mallory in at the same Globus Auth, with the program's client id. Returns the redirect,
/// with Mallory's code.
pub(crate) async fn mallorys_redirect(globus: &FakeGlobus, redirect_uri: &str) -> Url {
    globus.set_person(Person::automatic().picks(MALLORY));
    let page = Url::parse_with_params(
        &format!("{}v2/oauth2/authorize", globus.auth_url()),
        [
            ("client_id", globus.client_id().to_string().as_str()),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "mallorys"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("prompt", "login"),
        ],
    );
    let redirect = sent_to(page.expect("a URL")).await;
    assert!(parameter(&redirect, "code").is_some(), "{redirect}");
    globus.set_person(Person::automatic());
    globus.forget_browser();
    redirect
}

/// The log of a program.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps all that is logged while the guards live.
    pub(crate) fn listen(&self) -> (tracing::Dispatch, tracing::subscriber::DefaultGuard) {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::level_filters::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        // With a single subscriber, tracing caches for a call site whether the first thread that
        // reaches it has a subscriber. That thread may run another test.
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        (second, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("whole")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
