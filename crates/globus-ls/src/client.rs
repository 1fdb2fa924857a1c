//! The client: `GlobusApp` logs in, `Session` decides when, `HttpService` sends requests.

use std::time::Duration;

use globus_gare::Environment;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{Origin, ReauthError, Reauthenticator, Session, Trust, reauth_fn};
use globus_gare::reqwest::HttpService;
use globus_login::GlobusApp;
use tower::ServiceBuilder;
use url::Url;

use crate::failure::{Failure, Remedy};
use crate::options::{LoginArgs, Options};
use crate::terminal::Terminal;
use crate::transfer::Transfer;

/// An HTTP client with the layer around it.
pub(crate) type Client = GareService<HttpService>;

/// Connects to the Transfer service that the options and the environment name. Logs in first if
/// nobody is logged in.
pub(crate) async fn connect(options: &Options) -> Result<Transfer, Failure> {
    let service = transfer_url()?;
    let token = std::env::var("GLOBUS_ACCESS_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let terminal = Terminal::default();
    let remedy = remedy(&options.login);

    // With a client id there may be stored tokens, and a login is possible.
    let app = match options.login.client_id() {
        Some(client_id) => Some(app(client_id, &options.login, &terminal)?),
        None => None,
    };
    match &app {
        _ if token.is_some() => {}
        None => return Err(Failure::NoToken(remedy)),
        Some(app) if remedy.is_none() => {
            app.login().await.map_err(|error| Failure::login(&error))?;
        }
        Some(app) => {
            let is_logged_in = app.is_logged_in().await;
            if !is_logged_in.map_err(|error| Failure::login(&error))? {
                return Err(Failure::NoToken(remedy));
            }
        }
    }

    let trust = Trust::globus();
    let origin = service.as_str().parse();
    if !origin.is_ok_and(|origin| trust.allows(&origin)) {
        return Err(Failure::Untrusted(service));
    }
    let client = match app {
        Some(app) => client(app, trust, options.timeout(), &service)?,
        None => {
            let nobody =
                reauth_fn(|_| async { Err(ReauthError::interaction_required_elsewhere()) });
            client(nobody, trust, options.timeout(), &service)?
        }
    };
    Ok(Transfer {
        client,
        service,
        token,
        remedy,
        terminal,
    })
}

/// A client for `service` that waits at most `timeout` for a response.
pub(crate) fn client(
    login: impl Reauthenticator,
    trust: Trust,
    timeout: Duration,
    service: &Url,
) -> Result<Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .user_agent("globus-ls");
    let origin = service.as_str().parse();
    if origin.is_ok_and(|origin: Origin| origin.is_loopback()) {
        // A proxy that the environment names cannot reach the ports of this machine.
        builder = builder.no_proxy();
    }
    let http =
        HttpService::from_builder(builder).map_err(|error| Failure::network(&error, service))?;
    let session = Session::builder(login).trust(trust).build();
    Ok(ServiceBuilder::new()
        .layer(GareLayer::from_session(session))
        .service(http))
}

/// The login of this program. Its tokens are stored in a file, and refreshed.
pub(crate) fn app(
    client_id: &str,
    login: &LoginArgs,
    terminal: &Terminal,
) -> Result<GlobusApp, Failure> {
    GlobusApp::user(client_id)
        .app_name(&login.app_name)
        // The scopes of a default `globus_sdk.UserApp`, so that a login by a Python program of the
        // same name is enough.
        .scopes(["urn:globus:auth:scope:transfer.api.globus.org:all openid"])
        .extra_scopes(["profile email"])
        .refresh_tokens(true)
        .prompt(terminal.prompt(login))
        .build()
        .map_err(|error| Failure::setup(&error))
}

/// The URL of the Transfer service.
pub(crate) fn transfer_url() -> Result<Url, Failure> {
    let url = Environment::from_env().service_url("transfer");
    let url = url.map_err(|error| Failure::setup(&error))?;
    Url::parse(&url).map_err(|error| Failure::setup(&error))
}

/// What the user has to change so that a login is possible; `None` if a login is possible.
fn remedy(login: &LoginArgs) -> Option<Remedy> {
    if login.no_login {
        Some(Remedy::AllowLogin)
    } else if login.client_id().is_none() {
        Some(Remedy::NameClient)
    } else {
        None
    }
}
