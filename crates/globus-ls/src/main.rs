//! Lists a directory of a Globus collection, and logs in when the collection asks for it.
//!
//! ```text
//! globus-ls                        # a demonstration, with a small Globus of its own
//! globus-ls COLLECTION [PATH]   # the real one
//! globus-ls --help
//! ```

mod account;
mod demo;
mod failure;
mod http_client;
mod listing;
mod options;
mod place;
mod terminal;
mod transfer;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use globus_gare::Environment;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{ReauthError, Reauthenticator, Session, Trust, reauth_fn};
use globus_gare::reqwest::HttpService;
use globus_login::GlobusApp;
use tower::ServiceBuilder;
use url::Url;

use crate::failure::{Failure, Remedy};
use crate::http_client::http_client;
use crate::options::{Command, Login, Options};
use crate::place::Place;
use crate::terminal::Terminal;
use crate::transfer::{Transfer, Wanted};

/// What requests are sent with: an HTTP client with the layer around it.
type Client = GareService<HttpService>;

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
        tokio::select! {
            done = run(&options) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        }
    });
    // Whoever is still at work on the terminal leaves it as it was.
    runtime.shutdown_timeout(Duration::from_millis(500));
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

async fn run(options: &Options) -> Result<(), Failure> {
    let login = &options.login;
    match (&options.command, &options.collection) {
        (Some(Command::Login { force }), _) => account::log_in(login, *force).await,
        (Some(Command::Logout), _) => account::log_out(login).await,
        (Some(Command::Whoami), _) => account::who_am_i(login).await,
        (Some(Command::Completion { shell }), _) => account::complete(*shell),
        (None, Some(collection)) => list(options, collection).await,
        (None, None) => demo::run(options).await,
    }
}

/// Lists a directory of a real collection.
async fn list(options: &Options, collection: &str) -> Result<(), Failure> {
    let place = Place::parse(collection, options.path.as_deref())?;
    let wanted = Wanted::new(&options.what, &place)?;
    let service = transfer_url()?;
    let token = std::env::var("GLOBUS_ACCESS_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let terminal = Terminal::default();
    let remedy = remedy(&options.login);

    // With a client id there may be tokens from the last time, and a login is possible.
    let app = match options.login.client_id() {
        Some(client_id) => Some(app(client_id, &options.login, &terminal)?),
        None => None,
    };
    if let (Some(app), None) = (&app, &token) {
        match remedy {
            None => app.login().await.map_err(|error| Failure::login(&error))?,
            Some(_)
                if app
                    .is_logged_in()
                    .await
                    .map_err(|error| Failure::login(&error))? => {}
            Some(_) => return Err(Failure::no_token(remedy)),
        }
    }
    if token.is_none() && app.is_none() {
        return Err(Failure::no_token(remedy));
    }

    let trust = Trust::globus();
    if !service
        .as_str()
        .parse()
        .is_ok_and(|origin| trust.allows(&origin))
    {
        return Err(Failure::untrusted(&service));
    }
    let http = http_client(options.timeout(), &service)
        .map_err(|error| Failure::network(&error, &service))?;
    let client = match &app {
        Some(app) => client(app.clone(), trust, http),
        None => client(
            reauth_fn(|_| async { Err(ReauthError::interaction_required_elsewhere()) }),
            trust,
            http,
        ),
    };
    let mut transfer = Transfer {
        client,
        service,
        token,
        remedy,
        terminal,
    };

    let listed = transfer.list(&place, &wanted).await;
    let directory = match (listed, &app) {
        // Somebody has ended the token that was kept: that is no requirement, and takes a login all the same.
        (Err(failure), Some(app)) if failure.token_is_dead() && transfer.may_log_in() => {
            app.login_with(AuthorizationParameters::default())
                .await
                .map_err(|error| Failure::login(&error))?;
            transfer.list(&place, &wanted).await?
        }
        (listed, _) => listed?,
    };
    listing::print(directory, &options.show)
}

/// Where Transfer is.
fn transfer_url() -> Result<Url, Failure> {
    let url = Environment::from_env().service_url("transfer");
    let url = url.map_err(|error| Failure::setup(&error))?;
    Url::parse(&url).map_err(|error| Failure::setup(&error))
}

/// The login of this program: its tokens are kept in a file, and renewed.
fn app(client_id: &str, login: &Login, terminal: &Terminal) -> Result<GlobusApp, Failure> {
    GlobusApp::user(client_id)
        .app_name(&login.app_name)
        // As a default `globus_sdk.UserApp`: a login with a Python program of the same name will do.
        .scopes(["urn:globus:auth:scope:transfer.api.globus.org:all openid"])
        .extra_scopes(["profile email"])
        .refresh_tokens(true)
        .prompt(terminal.prompt(login))
        .build()
        .map_err(|error| Failure::setup(&error))
}

/// All that it takes: the layer around an HTTP client.
fn client(login: impl Reauthenticator, trust: Trust, http: HttpService) -> Client {
    ServiceBuilder::new()
        .layer(GareLayer::from_session(
            Session::builder(login).trust(trust).build(),
        ))
        .service(http)
}

/// What the user would have to do so that a login is possible; nothing where it is.
fn remedy(login: &Login) -> Option<Remedy> {
    if login.no_login {
        Some(Remedy::AllowLogin)
    } else if login.client_id().is_none() {
        Some(Remedy::NameClient)
    } else {
        None
    }
}
