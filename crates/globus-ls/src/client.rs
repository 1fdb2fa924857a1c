//! The client: `GlobusApp` logs in, `Session` decides when, `HttpService` sends requests.

use std::time::Duration;

use globus_gare::Environment;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{Origin, ReauthError, Reauthenticator, Session, Trust, reauth_fn};
use globus_gare::reqwest::HttpService;
use globus_login::GlobusApp;
use tower::ServiceBuilder;
use tower::timeout::Timeout;
use url::Url;

use crate::failure::{Failure, Remedy};
use crate::options::{LoginArgs, Options};
use crate::terminal::Terminal;
use crate::transfer::Transfer;

/// An HTTP client with the layer around it. The timeout is for the head of a response, and does not
/// include a login.
pub(crate) type Client = GareService<Timeout<HttpService>>;

/// The time of a login beyond what the person takes: for requests to Globus Auth.
const LOGIN_REQUESTS: Duration = Duration::from_secs(60);

/// Connects to the Transfer service that the options and the environment name. Logs in first if
/// nobody is logged in.
pub(crate) async fn connect(options: &Options) -> Result<Transfer, Failure> {
    let service = transfer_url()?;
    let trust = Trust::globus();
    let origin = service.as_str().parse();
    if !origin.is_ok_and(|origin| trust.allows(&origin)) {
        return Err(Failure::Untrusted(service));
    }
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

    let client = match app {
        Some(app) => client(app, trust, options, &service)?,
        None => {
            let nobody =
                reauth_fn(|_| async { Err(ReauthError::interaction_required_elsewhere()) });
            client(nobody, trust, options, &service)?
        }
    };
    Ok(Transfer {
        client,
        service,
        token,
        timeout: options.timeout(),
        remedy,
        terminal,
    })
}

/// A client for `service`.
pub(crate) fn client(
    login: impl Reauthenticator,
    trust: Trust,
    options: &Options,
    service: &Url,
) -> Result<Client, Failure> {
    let mut builder = reqwest::Client::builder().user_agent("globus-ls");
    let origin = service.as_str().parse();
    if origin.is_ok_and(|origin: Origin| origin.is_loopback()) {
        // A proxy that the environment names cannot reach the ports of this machine.
        builder = builder.no_proxy();
    }
    let http = HttpService::from_builder(builder).map_err(|error| Failure::setup(&error))?;
    let session = Session::builder(login)
        .trust(trust)
        // A login first waits for one that the same person has begun on another terminal.
        .login_timeout(options.login.timeout() * 2 + LOGIN_REQUESTS)
        .build();
    Ok(ServiceBuilder::new()
        .layer(GareLayer::from_session(session))
        .timeout(options.timeout())
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use clap::Parser;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc::unbounded_channel;
    use tower::ServiceExt;

    use super::*;

    #[checks::test]
    async fn required_login_may_take_as_long_as_the_options_say() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let challenge = async {
            let (mut stream, _) = listener.accept().await.expect("a request");
            stream.read_u8().await.expect("a request");
            let body = r#"{"authorization_parameters": {"session_required_mfa": true}}"#;
            let head = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ";
            let answer = format!("{head}{}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.expect("sent");
            stream
        };

        let (sender, mut left) = unbounded_channel();
        let login = reauth_fn(move |challenge| {
            let _ = sender.send(challenge.time_left());
            async { Err(ReauthError::declined()) }
        });
        let service: Url = format!("http://{address}/").parse().expect("a URL");
        let options = Options::parse_from(["globus-ls", "--login-timeout", "3600"]);
        let trust = Trust::none().loopback();
        let Ok(client) = client(login, trust, &options, &service) else {
            panic!("no client");
        };
        let request = http::Request::get(service.as_str()).body(Full::<Bytes>::default());
        let (sent, _stream) = tokio::join!(client.oneshot(request.expect("a request")), challenge);
        assert_eq!(sent.expect("a response").status(), 403);
        let left = left.recv().await.expect("a login").expect("a limit");
        assert!(left >= Duration::from_secs(3600), "{left:?}");
    }
}
