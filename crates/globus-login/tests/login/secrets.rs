//! A login, a challenge and a refresh, with all log events and a copy of all traffic: no secret on
//! the wire is in the output.

use std::io::Write;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake_globus::Person;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, ReauthError, Session, Trust};
use globus_login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest};
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceExt};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::format::FmtSpan;

use checks::secrets::assert_hidden;

use crate::support::{Sample, sent_to};
use crate::support::{clock, expire};

/// Text that several writers append to.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("whole")).into_owned()
    }
}

/// Writes the events on this thread to `log`, until the result is dropped.
pub(crate) fn log_to(log: &Kept) -> (tracing::Dispatch, DefaultGuard) {
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    // With only one subscriber, `tracing` caches the interest of a call site by the thread of
    // another test that reaches it first.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    (
        second,
        tracing::subscriber::set_default(subscriber.finish()),
    )
}

impl Write for Kept {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Starts a proxy to `server` that keeps a copy of all bytes. Returns its URL.
async fn wiretap(server: &str, kept: Kept) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = server.trim_start_matches("http://").trim_end_matches('/');
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server");
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(copy(from_client, to_server, kept.clone()));
            tokio::spawn(copy(from_server, to_client, kept.clone()));
        }
    });
    format!("http://{address}/")
}

async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut kept: Kept,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        kept.write_all(&buffer[..read]).expect("memory");
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

/// Completes each login, and keeps the `Debug` text of the request.
struct PrintingBrowser(Kept);

#[async_trait]
impl LoginPrompt for PrintingBrowser {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let mut shown = self.0.clone();
        write!(shown, "{request:?}{request:#?}").expect("memory");
        let page = request.authorize_url().clone();
        // The events of the browser and of Globus Auth are not those of the program: the browser
        // runs on a thread without a subscriber.
        let _quiet = tracing::subscriber::set_default(NoSubscriber::new());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            sender.send(runtime.block_on(sent_to(page)))
        });
        let redirect = receiver.await.expect("a redirect");
        Ok(LoginReply::redirect(request, redirect))
    }
}

/// The values of `names` in forms, queries and JSON documents on the wire.
fn values(wire: &str, names: &[&str]) -> Vec<String> {
    let mut values = Vec::new();
    for name in names {
        let marks = [
            format!("{name}="),
            format!("\"{name}\":\""),
            format!("{name}: Bearer "),
        ];
        for mark in marks {
            for rest in wire.split(&mark).skip(1) {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.~".contains(c));
                values.push(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
    values.retain(|value| value.len() >= 20);
    values.sort();
    values.dedup();
    values
}

#[checks::test]
async fn secrets_on_the_wire_are_never_printed() {
    let (wire, printed) = (Kept::default(), Kept::default());
    let writer = printed.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With only one subscriber, `tracing` caches the interest of a call site by the thread of
    // another test that reaches it first.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);

    let sample = Sample::guarded(|collection| collection.session_minutes(10)).await;
    let (globus, collection) = (&sample.globus, &sample.collection);
    let url = wiretap(globus.auth_url(), wire.clone()).await;
    let app = GlobusApp::user(globus.client_id().to_string())
        .auth_url(&url)
        .redirect_uri("http://127.0.0.1:1/done")
        .resource_server_for(&url, "transfer.api.globus.org")
        .refresh_tokens(true)
        .clock(clock(globus))
        .prompt(PrintingBrowser(printed.clone()))
        .build()
        .expect("an app");
    let trust = Trust::none().origin(&url).expect("loopback");
    let session = Session::builder(app.clone()).trust(trust).build();
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
    let client = GareLayer::from_session(session.clone()).layer(http);
    let list = async || {
        let uri = format!("{url}v0.10/operation/endpoint/{collection}/ls");
        let request = Request::get(uri).body(Full::default()).expect("a request");
        let response = client.clone().oneshot(request).await.expect("an answer");
        let outcome = response.extensions().get::<GareOutcome>();
        let mut shown = printed.clone();
        write!(shown, "{outcome:?}{response:?}{app:?}{session:?}").expect("memory");
        response.status().as_u16()
    };

    app.login().await.expect("a login");
    assert_eq!(list().await, 200);
    expire(globus);
    assert_eq!(list().await, 200, "after another login");
    globus.set_person(Person::automatic().declines());
    expire(globus);
    assert_eq!(list().await, 502, "declined");

    let counts = globus.counts();
    assert_eq!((counts.logins, counts.declined), (2, 1));
    assert!(counts.refresh_grants > 0, "a token was refreshed");
    let wire = wire.text();
    let names = [
        "access_token",
        "refresh_token",
        "code",
        "code_verifier",
        "state",
        "authorization",
    ];
    let secrets = values(&wire, &names);
    for name in names {
        assert!(!values(&wire, &[name]).is_empty(), "no {name} on the wire");
    }
    let printed = printed.text();
    assert!(
        printed.contains("logged in") && printed.contains("login failed"),
        "{printed}"
    );
    assert_hidden("the output", &printed, &secrets);
}
