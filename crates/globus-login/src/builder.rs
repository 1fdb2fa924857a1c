use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oauth2::{ClientId, RedirectUrl};

use super::app::{GlobusApp, Shared, Who};
use super::approval::Approval;
use super::audience::NamedCollections;
use super::auth::GlobusAuth;
use super::clock::Clock;
use super::http::HttpClient;
use super::logins::Logins;
use super::scope::{Scope, ScopeParseError, Scopes};
use super::services::{ResourceServers, base, service_url};
use super::settings::Settings;
use super::store::Secret;
use super::{JsonStore, LoginPrompt, LoginStore, MemoryStore, SetupError};
use globus_gare::Environment;
use globus_gare::reauth::Origin;

/// How long before its end a token counts as expired. The default of a session is the same.
const LEEWAY: Duration = Duration::from_secs(60);

/// How long before the end of a Globus Auth session the program warns.
const WARN_BEFORE: Duration = Duration::from_secs(3600);

/// How long an idle user stays in memory.
const USER_IDLE: Duration = Duration::from_secs(60 * 60);

/// Configures a [`GlobusApp`]. Made by [`GlobusApp::user`] and [`GlobusApp::confidential`].
#[must_use = "a builder does nothing until it is built"]
pub struct GlobusAppBuilder {
    client_id: String,
    client_secret: Option<Secret>,
    is_person: bool,
    app_name: Option<String>,
    environment: Option<Environment>,
    auth_url: Option<String>,
    redirect_uri: Option<String>,
    scopes: Vec<String>,
    extra_scopes: Vec<String>,
    pub(super) resource_servers: Vec<(String, String)>,
    pub(super) paths: Vec<(String, String)>,
    collections: Vec<(String, String)>,
    pub(super) approval: Approval,
    refresh_tokens: bool,
    leeway: Duration,
    pub(super) warn_before: Duration,
    user_idle: Duration,
    prompt: Option<Arc<dyn LoginPrompt>>,
    store: Option<Arc<dyn LoginStore>>,
    clock: Clock,
}

impl GlobusAppBuilder {
    pub(super) fn user(client_id: String) -> Self {
        Self {
            client_id,
            client_secret: None,
            is_person: true,
            app_name: None,
            environment: None,
            auth_url: None,
            redirect_uri: None,
            scopes: Vec::new(),
            extra_scopes: Vec::new(),
            resource_servers: Vec::new(),
            paths: Vec::new(),
            collections: Vec::new(),
            approval: Approval::default(),
            refresh_tokens: false,
            leeway: LEEWAY,
            warn_before: WARN_BEFORE,
            user_idle: USER_IDLE,
            prompt: None,
            store: None,
            clock: Clock::default(),
        }
    }

    pub(super) fn confidential(client_id: String, secret: String) -> Self {
        Self {
            is_person: false,
            ..Self::user(client_id).client_secret(secret)
        }
    }

    /// The name of the program, on the consent page and in the path of its token file. With a name,
    /// tokens outlast the program: they are in the file where the Python SDK keeps those of an app
    /// with this client id and name ([`JsonStore::for_app`]). Without a name and without a
    /// [`store`](Self::store), they are in memory.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }

    /// The client secret, for a program that has one, such as a web service.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret.into()));
        self
    }

    /// The store of the logins. Default: see [`app_name`](Self::app_name).
    pub fn store(mut self, store: impl LoginStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The Globus environment: the URLs of the services, and the token file of an app with a
    /// [name](Self::app_name). Default: [`Environment::from_env`].
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// The URL of Globus Auth. Default: that of the [environment](Self::environment).
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// Where Globus Auth sends the browser after the login. The client must be registered with this
    /// URI. Default: the page `/v2/web/auth-code` of Globus Auth, which shows a code to paste.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The scopes to ask for; a text may hold several, separated by spaces. A login adds the scopes
    /// that a service requires. For a person the app adds `openid`, which identifies the person.
    /// Default: `urn:globus:auth:scope:transfer.api.globus.org:all`.
    ///
    /// ```
    /// use globus_login::{GlobusApp, Scope};
    ///
    /// let mapped = Scope::transfer_data_access("6c54cade-bde5-45c1-bdea-f4bd71dba2cc");
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
    ///     .scopes([mapped.to_string(), "profile email".to_owned()])
    ///     .build()?;
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Optional scopes. A login asks for them beside those of [`scopes`](Self::scopes), but no
    /// login starts because they are missing.
    ///
    /// Example: with `openid` alone, which `globus_sdk.UserApp` asks for, [`GlobusApp::account`]
    /// has an id; names need `profile email`. As optional scopes, these do not force a new login on
    /// a person who has logged in with a Python program of the same name.
    pub fn extra_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.extra_scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Names the HTTPS server of a collection: its host or origin, and the collection's id. This
    /// server gets the collection's token and no other, and the token is sent to no other server.
    ///
    /// A server that is not named here is verified: the collection's document in Globus Transfer
    /// has to name it (`https_server`). That takes a token for Globus Transfer. The session also
    /// has to trust the servers of collections:
    ///
    /// ```
    /// use globus_gare::reauth::{Session, Trust};
    /// use globus_login::GlobusApp;
    ///
    /// let (host, id) = ("g-05a4b6.2d513.8443.data.globus.org", "6c54cade-bde5-45c1-bdea-f4bd71dba2cc");
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").collection(host, id).build()?;
    /// let session = Session::builder(app).trust(Trust::globus().collections()).build();
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    pub fn collection(mut self, host: impl Into<String>, id: impl Into<String>) -> Self {
        self.collections.push((host.into(), id.into()));
        self
    }

    /// Whether to ask for refresh tokens. The app uses them to replace expired access tokens
    /// without asking anybody. A refreshed token never answers a challenge. Default: `false`.
    pub fn refresh_tokens(mut self, refresh_tokens: bool) -> Self {
        self.refresh_tokens = refresh_tokens;
        self
    }

    /// How long before its end an access token counts as expired. Default: 60 seconds.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How long a user stays in memory without a request or another call. After that, a session
    /// looks the user's credential up in the [`store`](Self::store) again. Logins of
    /// [presented](globus_gare::reauth::Principal::Presented) tokens are in memory alone, and are
    /// lost. A login that could not be stored is kept. Choose more than a login may take. Default:
    /// one hour.
    pub fn user_idle(mut self, idle: Duration) -> Self {
        self.user_idle = idle;
        self
    }

    /// How to reach the person. Default: [`Interactive`](crate::Interactive), with a browser or a
    /// terminal. Without the feature `interactive` there is no default: a login fails with an error
    /// that says so.
    pub fn prompt(mut self, prompt: impl LoginPrompt) -> Self {
        self.prompt = Some(Arc::new(prompt));
        self
    }

    /// The clock for the lifetimes of tokens, and for the times of logins and sessions. Tests set
    /// one, so that they need not wait for a token to expire. Default: the system's clock.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Makes the app.
    ///
    /// # Errors
    ///
    /// If a URL, an origin, a scope or the environment is invalid, or if the URL of Globus Auth is
    /// plain `http` and not on this machine.
    pub fn build(self) -> Result<GlobusApp, SetupError> {
        if self.client_id.trim().is_empty() {
            return Err(SetupError::new("the client id is empty"));
        }
        let environment = self.environment.unwrap_or_else(Environment::from_env);
        let auth_url = match self.auth_url {
            Some(url) => base(&url).ok_or_else(|| {
                SetupError::new("the URL of Globus Auth is not an http or https URL")
            })?,
            None => service_url(&environment, "auth")?,
        };
        let auth = origin(auth_url.as_str())?;
        if !auth.is_secure() && !auth.is_loopback() {
            return Err(SetupError::new(
                "the URL of Globus Auth is plain http, which is allowed on this machine only: set an https URL",
            ));
        }
        let redirect_uri = match self.redirect_uri {
            // Kept byte for byte: Globus Auth compares the bytes with those of the registered URI.
            Some(uri) => RedirectUrl::new(uri)
                .map_err(|error| SetupError::caused("the redirect URI is not a URL", error))?,
            None => RedirectUrl::from_url(auth_url.join("v2/web/auth-code").map_err(cannot_join)?),
        };
        let http = HttpClient::new(&auth)?;
        let mut resource_servers = ResourceServers::of_environment(&environment, auth);
        for (text, name) in self.resource_servers {
            resource_servers.add(origin(&text)?, name);
        }
        for (text, name) in self.paths {
            resource_servers.add_below(&text, name)?;
        }
        let mut collections = NamedCollections::default();
        for (host, id) in self.collections {
            collections.add(&host, &id)?;
        }
        let client_id = self.client_id.trim().to_owned();
        let store = match (self.store, &self.app_name) {
            (Some(store), _) => store,
            (None, Some(name)) => {
                let file = JsonStore::for_app_in(environment.name(), &client_id, name);
                let file = file.map_err(|error| {
                    SetupError::caused("there is no directory for the token file", error)
                })?;
                Arc::new(file) as Arc<dyn LoginStore>
            }
            (None, None) => Arc::new(MemoryStore::new()),
        };
        let settings = Settings {
            environment: environment.name().to_owned(),
            program: self.app_name.clone().unwrap_or_else(program),
            redirect_uri,
            label: self.app_name.as_deref().map(label),
            scopes: scopes(&self.scopes, self.is_person)?,
            extra_scopes: parsed(&self.extra_scopes)?,
            refresh_tokens: self.refresh_tokens,
            leeway: self.leeway,
            warn_before: self.warn_before,
        };
        let auth = GlobusAuth::new(
            &auth_url,
            ClientId::new(client_id),
            self.client_secret,
            http.clone(),
        );
        let who = match (self.is_person, self.prompt) {
            (false, _) => Who::Client,
            (true, Some(prompt)) => Who::Person(prompt),
            (true, None) => Who::Person(default_prompt()),
        };
        let shared = Shared {
            auth: auth.map_err(cannot_join)?,
            http,
            settings,
            resource_servers,
            collections,
            approval: self.approval,
            who,
            logins: Logins::new(store, self.clock, self.user_idle),
        };
        Ok(GlobusApp {
            shared: Arc::new(shared),
        })
    }
}

#[cfg(feature = "interactive")]
fn default_prompt() -> Arc<dyn LoginPrompt> {
    Arc::new(super::Interactive::default())
}

#[cfg(not(feature = "interactive"))]
fn default_prompt() -> Arc<dyn LoginPrompt> {
    Arc::new(super::prompt::NoPrompt)
}

fn scopes(texts: &[String], is_person: bool) -> Result<Scopes, SetupError> {
    let mut scopes = parsed(texts)?;
    if scopes.is_empty() {
        scopes = Scope::transfer_all().into();
    }
    if is_person && !scopes.iter().any(|scope| scope.name() == "openid") {
        let openid = "openid".parse().and_then(|openid| scopes.union(&openid));
        scopes = openid.map_err(unusable)?;
    }
    Ok(scopes)
}

fn parsed(texts: &[String]) -> Result<Scopes, SetupError> {
    texts.join(" ").parse().map_err(unusable)
}

fn unusable(error: ScopeParseError) -> SetupError {
    SetupError::caused("the scopes are invalid", error)
}

/// The file name of the program, for one without an `app_name`.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

/// The label of the program in the list of the user's consents. The Python SDK uses the same form.
fn label(app_name: &str) -> String {
    let host = gethostname::gethostname();
    match host.to_string_lossy().trim_end_matches(".local") {
        "" => app_name.to_owned(),
        host => format!("{app_name} on {host}"),
    }
}

fn origin(text: &str) -> Result<Origin, SetupError> {
    text.parse()
        .map_err(|error| SetupError::caused(format!("{text:?} is not an origin"), error))
}

fn cannot_join(error: url::ParseError) -> SetupError {
    SetupError::caused("the URL of Globus Auth is invalid", error)
}

impl fmt::Debug for GlobusAppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusAppBuilder")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
