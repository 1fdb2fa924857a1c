//! Lists a directory of a Globus collection, even if the collection requires a login first.
//!
//! ```text
//! cargo run --example ls                        # on a small Globus of its own, which requires a login
//! cargo run --example ls -- COLLECTION [PATH]   # on the real Globus
//! ```
//!
//! Names go to standard output, one a line. Messages go to standard error.

use std::error::Error;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use fake_globus::{Browser, Collection, FakeGlobus, Person};
use globus_gare::layer::GareService;
use globus_gare::reauth::printable;
use globus_gare::reqwest::HttpService;
use globus_gare::{Environment, GareLayer, GareOutcome, ReauthError, Session, Trust};
use globus_login::{GlobusApp, LoginReply, LoginRequest, prompt_fn};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use tower::{ServiceBuilder, ServiceExt};
use url::Url;
use uuid::Uuid;

type BoxError = Box<dyn Error + Send + Sync>;
type Done = Result<(), BoxError>;
type Client = GareService<HttpService>;

const USAGE: &str = "usage: ls [COLLECTION [PATH]]

Without arguments it lists a directory of a small Globus of its own, whose sessions last one minute.
With the id of a collection it lists a directory on the real Globus. GLOBUS_CLIENT_ID must be the id
of your thick client: register one at https://app.globus.org/settings/developers.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => demonstrate().await,
        ["-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        [collection] => list_real(collection, None).await,
        [collection, path] => list_real(collection, Some(path)).await,
        _ => Err(USAGE.into()),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("ls: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {}", printable(&error.to_string()));
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// Lists twice on a Globus of its own. Two minutes pass in between, and a session lasts one minute.
async fn demonstrate() -> Done {
    let files = tempfile::tempdir()?;
    std::fs::write(files.path().join("README.txt"), "Files to list.\n")?;
    std::fs::write(files.path().join("measurements.csv"), "minute,celsius\n")?;
    std::fs::create_dir(files.path().join("figures"))?;
    let collection = Collection::new("Sample data", files.path()).session_minutes(1);
    let id = collection.id();
    let globus = FakeGlobus::builder().collection(collection);
    let globus = globus.person(Person::automatic()).start().await?;
    let transfer = Url::parse(globus.transfer_url())?;
    eprintln!("A small Globus of our own runs at {transfer}. Its sessions last a minute.");

    let app = GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(transfer.as_str(), "transfer.api.globus.org")
        .prompt(prompt_fn(log_in))
        .build()?;
    app.login().await?;
    // A proxy cannot reach this machine's loopback ports.
    let http = reqwest::Client::builder().no_proxy();
    let client = client(app, Trust::none().origin(&transfer)?, http)?;
    eprintln!("\nThe first listing:");
    list(&client, &transfer, id, None).await?;

    globus.clock().advance(Duration::from_secs(120));
    eprintln!("\nTwo minutes pass. The same listing again:");
    list(&client, &transfer, id, None).await
}

/// Lists on the real Globus. The login opens a browser, or asks for a code at the terminal.
async fn list_real(collection: &str, path: Option<&str>) -> Done {
    let collection: Uuid = collection.parse()?;
    let client_id = std::env::var("GLOBUS_CLIENT_ID");
    let client_id = client_id.map_err(|_| format!("GLOBUS_CLIENT_ID is not set\n\n{USAGE}"))?;
    let transfer = Url::parse(&Environment::from_env().service_url("transfer")?)?;
    let app = GlobusApp::user(client_id).app_name("globus-gare example");
    let app = app.build()?;
    app.login().await?;
    let client = client(app, Trust::globus(), reqwest::Client::builder())?;
    list(&client, &transfer, collection, path).await
}

/// An HTTP client that satisfies session policies: reqwest with a [`GareLayer`] around it.
fn client(app: GlobusApp, trust: Trust, http: reqwest::ClientBuilder) -> Result<Client, BoxError> {
    let session = Session::builder(app).trust(trust).build();
    Ok(ServiceBuilder::new()
        .layer(GareLayer::from_session(session))
        .service(HttpService::from_builder(http)?))
}

/// Requests a directory from Transfer, and prints the names in it.
async fn list(client: &Client, transfer: &Url, id: Uuid, path: Option<&str>) -> Done {
    let mut url = transfer.join(&format!("v0.10/operation/endpoint/{id}/ls"))?;
    if let Some(path) = path {
        url.query_pairs_mut().append_pair("path", path);
    }
    let request = http::Request::get(url.as_str()).body(Full::<Bytes>::default())?;
    let (head, body) = client.clone().oneshot(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    if !head.status.is_success() {
        return Err(explain(&head, &body).into());
    }
    let listing: Listing = serde_json::from_slice(&body)?;
    let mut names = String::new();
    for Entry { name, kind } in listing.entries {
        // A name must not steer the terminal. Another program gets it unchanged.
        let name = if stdout().is_terminal() {
            printable(&name)
        } else {
            name
        };
        names += &name;
        names += if kind == "dir" { "/\n" } else { "\n" };
    }
    Ok(stdout().write_all(names.as_bytes())?)
}

#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "DATA")]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Why there is no listing: the service's message, and the reason if the layer gave up.
fn explain(head: &http::response::Parts, body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let message = body["message"].as_str().unwrap_or("no message");
    let mut text = format!("{}: {}", head.status, printable(message));
    let outcome = head.extensions.get::<GareOutcome>();
    if let Some(reason) = outcome.and_then(GareOutcome::gave_up) {
        text.push_str(&format!("; no login helped: {reason}"));
    }
    text
}

/// Stands for a person with a browser: opens the login page of the small Globus, which redirects at
/// once.
async fn log_in(request: LoginRequest) -> Result<LoginReply, ReauthError> {
    let page = request.authorize_url();
    if let Some(challenge) = request.challenge() {
        eprintln!("It was refused with status {}.", challenge.status());
        eprintln!("{}", challenge.in_plain_words());
        let query = page.query().unwrap_or_default();
        let prompt = query.split('&').find(|pair| pair.starts_with("prompt="));
        eprintln!("A login follows ({}).", prompt.unwrap_or("no prompt"));
    }
    let redirect = Browser::new().redirect(page).await;
    let redirect = redirect.map_err(ReauthError::other)?;
    Ok(LoginReply::redirect(&request, redirect))
}
