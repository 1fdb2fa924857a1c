//! A web service that lists collections for its users, and cannot wait for a login: it sends them away for one.
//!
//! ```text
//! cargo run --example gateway                    # a demonstration, with a small Globus of its own
//! GLOBUS_CLIENT_ID=... GLOBUS_CLIENT_SECRET=... GATEWAY_URL=https://data.example.edu cargo run --example gateway
//! ```
//!
//! ```text
//!  browser            gateway                  Transfer        Globus Auth
//!    | GET /ls/ID        |                         |                |
//!    |------------------>|  GET .../ls             |                |
//!    |                   |------------------------>|                |
//!    |                   |  log in again, please   |                |
//!    |   303 to Auth     |<------------------------|                |
//!    |<------------------|  (the PKCE verifier stays here, with this user)
//!    | the login         |                         |                |
//!    |------------------------------------------------------------>|
//!    | GET /callback?code=...&state=...            |                |
//!    |------------------>|  the code and the verifier               |
//!    |                   |---------------------------------------->|
//!    |   303 to /ls/ID   |  tokens, kept for this user              |
//!    |<------------------|                                          |
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use bytes::Bytes;
use fake_globus::{Collection, FakeGlobus, Person};
use globus_gare::Environment;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, Principal,
    ReauthError, Reauthenticator, Session, Trust,
};
use globus_gare::reqwest::HttpService;
use globus_login::{GlobusApp, PendingLogin};
use http_body_util::Full;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};
use url::Url;
use uuid::Uuid;

/// The cookie that tells users apart. Its value is random, and known to the user's browser alone. The prefix has browsers
/// take it from this very host and over https alone: nobody can plant one.
const COOKIE: &str = "__Host-gateway";
/// The same on this machine, where there is no https.
const PLAIN_COOKIE: &str = "gateway";

/// How many users may be away for a login at once.
const MAX_AWAY: usize = 10_000;

type Transfer = GareService<HttpService>;

/// What every request of every user has in common.
#[derive(Clone)]
struct Gateway {
    transfer: Transfer,
    service: Url,
    public: Url,
    logins: Logins,
}

/// The logins of all users. One never sees what is another's: everything goes by the identity.
#[derive(Clone)]
struct Logins {
    app: GlobusApp,
    away: Arc<Mutex<HashMap<Principal, Away>>>,
}

/// A login that a user was sent away for.
struct Away {
    pending: PendingLogin,
    /// Where the browser goes afterwards.
    page: Option<String>,
}

impl Logins {
    /// Notes that a user is sent away; gives the page to send them to.
    async fn begin(
        &self,
        identity: &Principal,
        challenge: Option<&Challenge>,
    ) -> Result<String, ReauthError> {
        let pending = self.app.begin_login(identity, challenge).await?;
        let url = pending.authorize_url().to_string();
        let mut away = self.away();
        if away.len() >= MAX_AWAY {
            // Whoever comes back now is told to try again.
            away.clear();
        }
        let page = None;
        away.insert(identity.clone(), Away { pending, page });
        Ok(url)
    }

    fn away(&self) -> MutexGuard<'_, HashMap<Principal, Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Reauthenticator for Logins {
    /// Waits for nobody: the error carries the page to send the user to.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let identity = challenge.target().principal();
        Err(ReauthError::interaction_required(
            self.begin(identity, Some(challenge)).await?,
        ))
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        self.app.credential(request).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let here = format!("http://{}/", listener.local_addr()?);
    let public = Url::parse(&std::env::var("GATEWAY_URL").unwrap_or(here))?;
    // Lives as long as the program, where there is one.
    let mut demonstration = None;
    let mut app = match (
        std::env::var("GLOBUS_CLIENT_ID"),
        std::env::var("GLOBUS_CLIENT_SECRET"),
    ) {
        (Ok(id), Ok(secret)) => GlobusApp::user(id).client_secret(secret),
        _ => {
            let globus = demonstration.insert(demonstrate(&public).await?);
            GlobusApp::user(globus.0.confidential_client_id().to_string())
                .client_secret(globus.0.client_secret())
                .auth_url(globus.0.auth_url())
        }
    };
    let service = match &demonstration {
        Some((globus, _)) => Url::parse(globus.transfer_url())?,
        None => Url::parse(&Environment::from_env().service_url("transfer")?)?,
    };
    app = app
        .redirect_uri(public.join("callback")?)
        .resource_server_for(service.as_str(), "transfer.api.globus.org");
    let logins = Logins {
        app: app.build()?,
        away: Arc::default(),
    };

    // A user who is sent away is no failure that others, or later requests, should wait out.
    let session = Session::builder(logins.clone())
        .trust(Trust::none().origin(&service)?)
        .build();
    let http = HttpService::from_builder(reqwest::Client::builder().no_proxy())?;
    let transfer = ServiceBuilder::new()
        .layer(GareLayer::from_session(session))
        .service(http);
    let gateway = Gateway {
        transfer,
        service,
        public: public.clone(),
        logins,
    };
    let router = Router::new()
        .route("/ls/{collection}", get(list))
        .route("/callback", get(callback))
        .with_state(gateway);
    println!("The gateway is at {public}");
    Ok(axum::serve(listener, router).await?)
}

/// A small Globus with a collection, and the directory of that.
async fn demonstrate(public: &Url) -> Result<(FakeGlobus, tempfile::TempDir), Box<dyn Error>> {
    let files = tempfile::tempdir()?;
    std::fs::write(files.path().join("README.txt"), "Files to be listed.\n")?;
    let collection = Collection::new("Sample data", files.path()).session_minutes(1);
    println!("Open {}", public.join(&format!("ls/{}", collection.id()))?);
    println!("Its collection wants everybody to have logged in within the last minute.");
    let globus = FakeGlobus::builder()
        .collection(collection)
        .person(Person::browser())
        .start()
        .await?;
    Ok((globus, files))
}

/// `GET /ls/{collection}`: the listing as JSON, or the way to the login.
async fn list(
    State(gateway): State<Gateway>,
    Path(collection): Path<Uuid>,
    OriginalUri(uri): OriginalUri,
    jar: CookieJar,
) -> Result<Response, Failure> {
    let (user, jar) = user(&gateway, jar);
    let identity = Principal::Named(user.clone().into());
    if !gateway
        .logins
        .app
        .for_user(&identity)
        .is_logged_in()
        .await?
    {
        let login = gateway.logins.begin(&identity, None).await?;
        return Ok((jar, gateway.send_away(&identity, &uri, &login)).into_response());
    }
    let url = gateway
        .service
        .join(&format!("v0.10/operation/endpoint/{collection}/ls"))?;
    // Whose request it is, is all that the layer need be told.
    let request = http::Request::get(url.as_str())
        .extension(GareOptions::new().principal(user))
        .body(Full::<Bytes>::default())?;
    let answer = gateway.transfer.clone().oneshot(request).await?;
    if let Some(GaveUp::Failed(error)) = answer
        .extensions()
        .get::<GareOutcome>()
        .and_then(GareOutcome::gave_up)
    {
        return match error.login_url() {
            Some(login) => Ok((jar, gateway.send_away(&identity, &uri, login)).into_response()),
            None => Err(error.clone().into()),
        };
    }
    let status = answer.status();
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await?
        .to_bytes();
    Ok((status, jar, [("content-type", "application/json")], body).into_response())
}

/// `GET /callback`: the browser is back from Globus Auth.
async fn callback(
    State(gateway): State<Gateway>,
    OriginalUri(uri): OriginalUri,
    jar: CookieJar,
) -> Result<Response, Failure> {
    let (user, jar) = user(&gateway, jar);
    let identity = Principal::Named(user.into());
    let redirect = gateway.public.join(&uri.to_string())?;
    // Only the login that this very browser was sent away for, and only once.
    let away = {
        let mut away = gateway.logins.away();
        let is_ours = away
            .get(&identity)
            .is_some_and(|away| away.pending.is_answered_by(&redirect));
        if is_ours {
            away.remove(&identity)
        } else {
            None
        }
    };
    let Some(Away { pending, page }) = away else {
        return Ok((
            StatusCode::BAD_REQUEST,
            "This login is not yours, or is over. Go back, and try again.\n",
        )
            .into_response());
    };
    gateway.logins.app.finish_login(pending, redirect).await?;
    Ok((jar, Redirect::to(page.as_deref().unwrap_or("/"))).into_response())
}

impl Gateway {
    /// Off to the login, and back to `page` afterwards.
    fn send_away(&self, identity: &Principal, here: &Uri, login: &str) -> Redirect {
        if let Some(away) = self.logins.away().get_mut(identity) {
            away.page = here.path_and_query().map(ToString::to_string);
        }
        Redirect::to(login)
    }
}

/// Who it is: the cookie tells, and whoever has none gets one.
fn user(gateway: &Gateway, jar: CookieJar) -> (String, CookieJar) {
    let secure = gateway.public.scheme() == "https";
    let name = if secure { COOKIE } else { PLAIN_COOKIE };
    let known = jar
        .get(name)
        .and_then(|cookie| Uuid::parse_str(cookie.value()).ok());
    let user = known.unwrap_or_else(Uuid::new_v4).to_string();
    let cookie = Cookie::build((name, user.clone()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .path("/");
    (user, jar.add(cookie))
}

/// What went wrong: the user is told that something did, and the log what.
struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let declined = self
            .0
            .downcast_ref::<ReauthError>()
            .is_some_and(ReauthError::is_declined);
        if declined {
            return (StatusCode::FORBIDDEN, "The login was declined.\n").into_response();
        }
        eprintln!("{}", self.0);
        (
            StatusCode::BAD_GATEWAY,
            "Globus could not be asked. Try again later.\n",
        )
            .into_response()
    }
}
