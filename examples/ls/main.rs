//! Lists a directory of a Globus collection, and logs in when the collection asks for it.
//!
//! ```text
//! cargo run --example ls                        # a demonstration, with a small Globus of its own
//! cargo run --example ls -- COLLECTION [PATH]   # the real one
//! cargo run --example ls -- --help
//! ```

mod demo;
mod failure;
mod http_client;
mod listing;
mod options;
mod place;
mod terminal;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Parser;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::login::{GlobusApp, service_url};
use globus_gare::reauth::{
    GareOptions, GareOutcome, ReauthError, Reauthenticator, Trust, reauth_fn,
};
use http::header::{ACCEPT, AUTHORIZATION};
use http_body_util::BodyExt;
use tower::{Service, ServiceBuilder, ServiceExt};
use url::Url;

use crate::failure::{Failure, Remedy};
use crate::http_client::HttpClient;
use crate::options::Options;
use crate::place::Place;
use crate::terminal::Terminal;

/// What requests are sent with: an HTTP client with the layer around it.
type Client = GareService<HttpClient>;

fn main() -> ExitCode {
    let options = Options::parse();
    options.color.write_global();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failure::error(format!("cannot start: {error}")).report(),
    };
    let done = runtime.block_on(async {
        match &options.collection {
            None => demo::run(&options).await,
            Some(collection) => run(&options, collection).await,
        }
    });
    // Whoever still waits for a line from the terminal is not waited for.
    runtime.shutdown_background();
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

/// Lists a directory of a real collection.
async fn run(options: &Options, collection: &str) -> Result<(), Failure> {
    let place = Place::parse(collection, options.path.as_deref())?;
    let service = service_url("transfer").map_err(Failure::setup)?;
    let token = std::env::var("GLOBUS_ACCESS_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let terminal = Terminal::default();
    let remedy = remedy(options);

    // With a client id and somebody at the terminal, a login is possible.
    let app = match (options.client_id(), remedy) {
        (Some(client_id), None) => {
            let app = GlobusApp::user(client_id)
                .prompt(terminal.clone())
                .build()
                .map_err(Failure::setup)?;
            if token.is_none() {
                app.login().await.map_err(|error| Failure::login(&error))?;
            }
            Some(app)
        }
        _ => None,
    };
    if token.is_none() && app.is_none() {
        return Err(Failure::no_token(remedy));
    }

    // A service that the environment names is trusted because it does; all of Globus is by default.
    let mut trust = Trust::globus();
    if std::env::var_os("GLOBUS_SDK_SERVICE_URL_TRANSFER").is_some() {
        trust = trust
            .origin(&service)
            .map_err(|error| Failure::untrusted(&service, error))?;
    }
    let http = HttpClient::new(options.timeout(), &service)
        .map_err(|error| Failure::network(&error, &service))?;
    let mut client = match app {
        Some(app) => client(app, trust, http),
        None => client(
            reauth_fn(|_| async { Err(ReauthError::interaction_required_elsewhere()) }),
            trust,
            http,
        ),
    };

    let document = fetch(
        &mut client,
        &service,
        &place,
        token.as_deref(),
        remedy,
        &terminal,
    )
    .await?;
    listing::print(&document, options)
}

/// All that it takes: the layer around an HTTP client.
fn client(login: impl Reauthenticator, trust: Trust, http: HttpClient) -> Client {
    ServiceBuilder::new()
        .layer(GareLayer::new(login).trust(trust))
        .service(http)
}

/// Asks the Transfer service for a directory. This is written as if nobody ever had to log in.
async fn fetch(
    client: &mut Client,
    service: &Url,
    place: &Place,
    token: Option<&str>,
    remedy: Option<Remedy>,
    terminal: &Terminal,
) -> Result<Bytes, Failure> {
    let mut request = http::Request::get(place.url_at(service)).header(ACCEPT, "application/json");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if remedy.is_some() {
        request = request.extension(GareOptions::new().no_prompt());
    }
    let request = request
        .body(Bytes::new())
        .map_err(|_| Failure::error("the token cannot be sent in a header"))?;

    let waiting = terminal.wait_for(service);
    let network = |error: &reqwest::Error| Failure::network(error, service);
    let client = client.ready().await.map_err(|error| network(&error))?;
    let response = client
        .call(request)
        .await
        .map_err(|error| network(&error))?;
    let (head, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| network(&error))?
        .to_bytes();
    drop(waiting);

    if head.status.is_success() {
        return Ok(body);
    }
    // What came of a requirement is told beside the response.
    match head.extensions.get::<GareOutcome>() {
        Some(outcome) => Err(Failure::refused(
            outcome,
            head.status,
            &body,
            place,
            service,
            remedy,
        )),
        None => Err(Failure::answered(head.status, &body, place)),
    }
}

/// What the user would have to do so that a login is possible; nothing where it is.
fn remedy(options: &Options) -> Option<Remedy> {
    if options.no_login {
        Some(Remedy::AllowLogin)
    } else if options.client_id().is_none() {
        Some(Remedy::NameClient)
    } else if !io::stdin().is_terminal() {
        Some(Remedy::UseTerminal)
    } else {
        None
    }
}
