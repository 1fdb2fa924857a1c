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

/// How long before its end a token counts as expired: as long as a session does.
const LEEWAY: Duration = Duration::from_secs(60);

/// How long before a session ends this is told.
const WARN_BEFORE: Duration = Duration::from_secs(3600);

/// How long a user is remembered for whom nothing is done.
const USER_IDLE: Duration = Duration::from_secs(60 * 60);

/// Sets up a [`GlobusApp`]: what [`GlobusApp::user`] and [`GlobusApp::confidential`] return.
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

    /// What the program is called: on the consent page, and where its tokens are
    /// kept. With a name, tokens outlast the program, in the file where the Python
    /// SDK keeps those of an app with this client id and name
    /// ([`JsonStore::for_app`]). Without one, and without a
    /// [`store`](Self::store), they are kept in memory.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }

    /// The secret of a client that has one, such as a web service.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret.into()));
        self
    }

    /// Where the logins are kept.
    pub fn store(mut self, store: impl LoginStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Where the services of Globus are; by default [`Environment::from_env`].
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Where Globus Auth is; by default where the [environment](Self::environment) has it.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.auth_url = Some(url.into());
        self
    }

    /// Where Globus Auth sends the browser after the login; by default its page
    /// `/v2/web/auth-code`, which shows the code to be pasted. The client must be
    /// registered with it.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The scopes to ask for, each alone or several in one text; by default
    /// `urn:globus:auth:scope:transfer.api.globus.org:all`. Scopes that a service
    /// turns out to require are added to them by the login; for a person, `openid`
    /// is always among them, since it tells who logged in.
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

    /// Scopes that a login asks for beside those of [`scopes`](Self::scopes), while no login is
    /// started because they are missing.
    ///
    /// With `openid` alone, as `globus_sdk.UserApp` asks for it, [`GlobusApp::account`] gives an
    /// id; a name comes with `profile email`. Asked for here, they do not make a person log in who
    /// has logged in with a Python program of the same name.
    pub fn extra_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.extra_scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Names the HTTPS server of a collection: its host, or its origin, and the collection's id. Such a
    /// server gets the collection's own token and no other, and the token goes nowhere else.
    ///
    /// The collection of another server is believed where its document in Globus Transfer names the server
    /// (`https_server`), which takes a token for Globus Transfer. A session wants to be told to trust
    /// servers of collections:
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

    /// Whether to ask for refresh tokens, with which the app refreshes an access
    /// token that has expired without asking anybody; no by default. They never
    /// answer a challenge.
    pub fn refresh_tokens(mut self, refresh_tokens: bool) -> Self {
        self.refresh_tokens = refresh_tokens;
        self
    }

    /// How long before its end an access token counts as expired; 60 seconds by default.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How long a user stays in memory while nothing is done for them, no request sent either; one
    /// hour by default. Then the [`store`](Self::store) has what is left of them, and a session asks it
    /// again. The logins of [presented](globus_gare::reauth::Principal::Presented) tokens are in memory
    /// alone, and gone; a login that could not be stored stays. Let it be longer than a login may take.
    pub fn user_idle(mut self, idle: Duration) -> Self {
        self.user_idle = idle;
        self
    }

    /// How to reach the person; by default [`Interactive`](crate::Interactive), with a browser or
    /// a terminal. Without the feature `interactive` a login then fails, and says so.
    pub fn prompt(mut self, prompt: impl LoginPrompt) -> Self {
        self.prompt = Some(Arc::new(prompt));
        self
    }

    /// The clock that the lifetimes of tokens are measured on; by default the time of the system. For
    /// tests, which need not wait for a token to expire.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Makes the app.
    ///
    /// # Errors
    ///
    /// Where a URL, an origin, the scopes or the environment cannot be used, or
    /// Globus Auth would be spoken to over a network in the clear.
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
                "plain http to Globus Auth is for this machine only: give an https URL",
            ));
        }
        let redirect_uri = match self.redirect_uri {
            // Kept as it was written: Globus Auth compares it with the registered one by its bytes.
            Some(uri) => RedirectUrl::new(uri)
                .map_err(|error| SetupError::caused("the redirect URI cannot be read", error))?,
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
                let file = JsonStore::for_app(&client_id, name).map_err(|error| {
                    SetupError::caused("there is no place to keep tokens in", error)
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
    SetupError::caused("the scopes cannot be used", error)
}

/// The name of a program that has none.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

/// The program on this machine, as the SDK calls it in the list of what a user has allowed.
fn label(app_name: &str) -> String {
    let host = gethostname::gethostname();
    match host.to_string_lossy().trim_end_matches(".local") {
        "" => app_name.to_owned(),
        host => format!("{app_name} on {host}"),
    }
}

fn origin(text: &str) -> Result<Origin, SetupError> {
    text.parse()
        .map_err(|error| SetupError::caused(format!("{text:?} cannot be used"), error))
}

fn cannot_join(error: url::ParseError) -> SetupError {
    SetupError::caused("the URL of Globus Auth cannot be used", error)
}

impl fmt::Debug for GlobusAppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobusAppBuilder")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
