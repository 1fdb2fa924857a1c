//! A web service that lists collections for its users. It can run with a small Globus of its own:
//! see `--help`.

use std::{env, error::Error};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, header::CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, routing};
use bytes::Bytes;
use clap::Parser;
use fake_globus::{Collection, FakeGlobus, Person};
use globus_gare::layer::GareService;
use globus_gare::reqwest::HttpService;
use globus_gare::{Environment, GareLayer, GareOptions, Session, Trust};
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{GlobusApp, RedisStore, Sealer};
use http_body_util::Full;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};
use url::Url;
use uuid::Uuid;

/// A web service that lists the files of Globus collections for its users.
///
/// GLOBUS_CLIENT_ID and GLOBUS_CLIENT_SECRET name a client that is registered with Globus Auth,
/// with the redirect URI `/callback` of the gateway. Without them the gateway runs with a small
/// Globus of its own.
#[derive(Parser)]
struct Options {
    /// The port on this machine. 0 is any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The URL at which browsers reach the gateway. Default: the port on this machine.
    #[arg(long, env = "GATEWAY_URL")]
    url: Option<Url>,
    /// Keeps logins in this Redis, which any number of gateways share, with the same keys in
    /// GATEWAY_KEYS: ID:BASE64[,ID:BASE64...], 32 bytes each, the newest first. Default: logins are
    /// in memory.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

/// The state that all requests share.
#[derive(Clone)]
struct Gateway {
    client: GareService<HttpService>,
    transfer: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let here = format!("http://{}/", listener.local_addr()?);
    let site = options.url.map_or_else(|| Url::parse(&here), Ok)?;

    // The demonstration runs as long as the program.
    let mut demonstration = None;
    let client = ["GLOBUS_CLIENT_ID", "GLOBUS_CLIENT_SECRET"].map(|name| env::var(name).ok());
    let (mut app, transfer) = if let [Some(id), Some(secret)] = client {
        let transfer = Environment::from_env().service_url("transfer")?;
        (GlobusApp::user(id).client_secret(secret), transfer)
    } else {
        let (globus, _) = demonstration.insert(demonstrate(&site).await?);
        let app = GlobusApp::user(globus.confidential_client_id().to_string());
        let app = app.client_secret(globus.client_secret());
        let app = app.auth_url(globus.auth_url());
        (app, globus.transfer_url().to_owned())
    };
    let sealer = match env::var("GATEWAY_KEYS") {
        Ok(keys) => keys.parse()?,
        Err(_) if options.redis.is_some() => return Err("set GATEWAY_KEYS: see --help".into()),
        Err(_) => Sealer::random(),
    };
    if let Some(redis) = &options.redis {
        app = app.store(RedisStore::new(redis, sealer.clone())?);
    }
    app = app.resource_server_for(&transfer, "transfer.api.globus.org");
    app = app.redirect_uri(site.join("callback")?);
    let app = app.refresh_tokens(true).build()?;
    let logins = WebLogins::new(app, sealer, &site)?;

    let trust = Trust::none().origin(transfer.as_str())?;
    let session = Session::builder(logins.clone()).trust(trust).build();
    let client = HttpService::from_builder(reqwest::Client::builder().no_proxy())?;
    let client = GareLayer::from_session(session).layer(client);
    let router = Router::new()
        .route("/", routing::get(home))
        .route("/ls/{collection}", routing::get(list))
        .route("/logout", routing::post(log_out))
        .merge(logins.routes())
        .layer(logins.layer())
        .with_state(Gateway { client, transfer });
    println!("The gateway is at {here}");
    let server = axum::serve(listener, router).with_graceful_shutdown(stopped());
    Ok(server.await?)
}

async fn home(user: WebUser) -> Result<Html<&'static str>, WebError> {
    Ok(Html(match user.is_logged_in().await? {
        true => "You are logged in. <form method=post action=/logout><button>Log out</button>",
        false => "Open /ls/ID to list the collection with this id.",
    }))
}

/// Returns the listing as JSON.
async fn list(
    State(gateway): State<Gateway>,
    Path(collection): Path<Uuid>,
    user: WebUser,
) -> Result<Response, WebError> {
    let url = gateway.transfer + &format!("v0.10/operation/endpoint/{collection}/ls");
    // The session only needs the principal of the request.
    let request = Request::get(url).extension(GareOptions::new().principal(user.principal()?));
    let request = request.body(Full::<Bytes>::default())?;
    let answer = gateway.client.oneshot(request).await?;
    WebError::check(&answer)?;
    let (status, json) = (answer.status(), [(CONTENT_TYPE, "application/json")]);
    Ok((status, json, Body::new(answer.into_body())).into_response())
}

async fn log_out(user: WebUser) -> Result<Redirect, WebError> {
    user.logout().await?;
    Ok(Redirect::to("/"))
}

/// Starts a small Globus with one collection. Also returns the collection's directory.
async fn demonstrate(site: &Url) -> Result<(FakeGlobus, TempDir), Box<dyn Error>> {
    let files = tempfile::tempdir()?;
    std::fs::write(files.path().join("README.txt"), "Files to be listed.\n")?;
    let collection = Collection::new("Sample data", files.path()).session_minutes(1);
    println!(
        "Open {site}ls/{}. The collection requires a login within the last minute.",
        collection.id()
    );
    let globus = FakeGlobus::builder().collection(collection);
    Ok((globus.person(Person::browser()).start().await?, files))
}

/// Waits for the signal that stops a service. Requests under way are still answered.
async fn stopped() {
    #[cfg(unix)]
    let stop = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    #[cfg(windows)]
    let stop = tokio::signal::windows::ctrl_shutdown();
    let mut stop = stop.expect("signals");
    tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = stop.recv() => {} }
}
