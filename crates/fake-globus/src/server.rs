//! [`FakeGlobus`]: a running server.

use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::builder::FakeGlobusBuilder;
use super::clock::Clock;
use super::command::{Command, Dump};
use super::error::{ShutdownError, UnknownError};
use super::fault::Fault;
use super::https::{BackEndError, BrokenBackEnd};
use super::identity::Identity;
use super::limit::Limit;
use super::listen::{Listener, Prompt};
use super::person::Person;
use super::record::{Counts, RequestKind, SeenRequest, Violation};
use super::service::Listed;
use super::state::Client;
use super::world::Shared;
use super::{auth, control, observe, service};

/// How long [`FakeGlobus::shutdown`] waits for requests in progress.
const GRACE: Duration = Duration::from_millis(800);

/// A running fake Globus. By default it listens on 127.0.0.1 only.
///
/// Auth and Transfer share one port; each other service has its own. The official SDKs and the
/// `globus` command line use it when their environment has the variables of
/// [`environment`](Self::environment).
///
/// The server stops when this value is dropped. [`shutdown`](Self::shutdown) also reports what went
/// wrong inside the server.
///
/// ```
/// use fake_globus::{Collection, FakeGlobus, Identity, Person};
/// use std::time::Duration;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let data = tempfile::tempdir()?;
/// std::fs::write(data.path().join("hello.txt"), "hello")?;
/// let ada = Identity::new("ada", "uchicago.edu");
/// let collection = Collection::new("My data", data.path())
///     .domain("uchicago.edu")
///     .session_minutes(1);
/// let id = collection.id();
///
/// let globus = FakeGlobus::builder()
///     .collection(collection)
///     .identity(ada.clone())
///     .person(Person::automatic())
///     .start()
///     .await?;
/// let token = globus.issue_token(&ada, "urn:globus:auth:scope:transfer.api.globus.org:all")?;
///
/// let url = format!("{}v0.10/operation/endpoint/{id}/ls", globus.transfer_url());
/// let list = || reqwest::Client::new().get(&url).bearer_auth(&token).send();
/// assert!(list().await?.text().await?.contains("hello.txt"));
///
/// globus.clock().advance(Duration::from_secs(120));
/// let challenged = list().await?;
/// assert_eq!(challenged.status(), 502);
/// assert!(challenged.text().await?.contains("530-GridFTP-JSON-Result"));
/// assert_eq!(globus.counts().challenges, 1);
/// globus.shutdown().await?;
/// # Ok(()) }
/// ```
pub struct FakeGlobus {
    world: Shared,
    native: Uuid,
    confidential: Option<Client>,
    stop: Option<watch::Sender<()>>,
    tasks: JoinSet<std::io::Result<()>>,
}

impl FakeGlobus {
    #[cfg(test)]
    pub(super) fn world_for_tests(&self) -> Shared {
        self.world.clone()
    }

    /// A builder with the default settings.
    pub fn builder() -> FakeGlobusBuilder {
        FakeGlobusBuilder::default()
    }

    pub(super) fn serve(
        listeners: Vec<Listener>,
        world: Shared,
        (stop, stopped): (watch::Sender<()>, watch::Receiver<()>),
        native: Uuid,
        confidential: Option<Client>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for Listener { listener, services } in listeners {
            let mut stopped = stopped.clone();
            let server = axum::serve(Prompt(listener), router(services, &world));
            let server = server.with_graceful_shutdown(async move {
                // An error means that `FakeGlobus` was dropped, which also stops the server.
                let _ = stopped.changed().await;
            });
            tasks.spawn(async move { server.await });
        }
        Self {
            world,
            native,
            confidential,
            stop: Some(stop),
            tasks,
        }
    }

    /// The base URL of Transfer, with a slash at its end: the value for
    /// `GLOBUS_SDK_SERVICE_URL_TRANSFER`.
    pub fn transfer_url(&self) -> &str {
        &self.world.base
    }

    /// The base URL of Auth, with a slash at its end: the value for `GLOBUS_SDK_SERVICE_URL_AUTH`.
    pub fn auth_url(&self) -> &str {
        &self.world.base
    }

    /// The environment variables that point the official SDKs and the `globus` command line to this
    /// server, with their values.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let globus = fake_globus::FakeGlobus::builder().start().await?;
    /// let mut program = std::process::Command::new("true");
    /// program.envs(globus.environment());
    /// # assert!(program.status()?.success());
    /// # Ok(()) }
    /// ```
    pub fn environment(&self) -> Vec<(String, String)> {
        self.world.environment()
    }

    /// The base URL of a service by its name in the SDKs, such as `groups`; with a slash at its
    /// end. `None` if there is no such service.
    pub fn service_url(&self, name: &str) -> Option<&str> {
        let mut urls = self.world.urls.iter();
        let found = urls.find(|(known, _)| *known == name);
        found.map(|(_, url)| url.as_str())
    }

    /// The base URL of the HTTPS server of a collection, with a slash at its end. The server speaks
    /// plain HTTP on loopback. `None` if there is no such collection, or no port for its server.
    pub fn https_url(&self, collection: Uuid) -> Option<String> {
        self.world.state().collection(collection)?;
        self.world.https.url(&self.world, collection).ok()
    }

    /// The id of a native client, which has no secret and uses PKCE.
    pub fn client_id(&self) -> Uuid {
        self.native
    }

    /// The id of a confidential client, which can also get tokens for itself. Its secret is
    /// [`client_secret`](Self::client_secret).
    pub fn confidential_client_id(&self) -> Uuid {
        self.confidential
            .as_ref()
            .map_or_else(Uuid::nil, |client| client.id)
    }

    /// The secret of the confidential client.
    pub fn client_secret(&self) -> &str {
        let confidential = self.confidential.as_ref();
        confidential
            .and_then(|client| client.secret.as_deref())
            .unwrap_or_default()
    }

    /// The clock that measures session ages and token lifetimes.
    pub fn clock(&self) -> Clock {
        self.world.clock.clone()
    }

    /// Replaces the person who answers the login page.
    pub fn set_person(&self, person: Person) {
        self.apply(Command::SetPerson(person));
    }

    /// Logs all identities out of the browser: the next login authenticates again, with or without
    /// `prompt=login`.
    pub fn forget_browser(&self) {
        self.apply(Command::ForgetBrowser {});
    }

    /// Issues an access token for `identity` to the native client without a login, and grants the
    /// consents to `scopes`.
    ///
    /// The token's session is authenticated at this moment. If the scopes belong to several
    /// services, the token is for the service of the first scope.
    ///
    /// # Errors
    /// If the server has no such identity, or the scopes cannot be parsed.
    pub fn issue_token(&self, identity: &Identity, scopes: &str) -> Result<String, UnknownError> {
        auth::grant::without_login(&self.world, self.native, identity.id(), scopes)
            .map_err(UnknownError)
    }

    /// Revokes an access or refresh token. Returns `false` if there is no such token.
    pub fn revoke_token(&self, token: &str) -> bool {
        let token = token.to_owned();
        self.apply(Command::RevokeToken { token })
    }

    /// Revokes all tokens, of all users.
    pub fn revoke_all_tokens(&self) {
        self.apply(Command::RevokeTokens {});
    }

    /// Makes all sessions of the user with `identity` older than any policy allows.
    ///
    /// # Errors
    /// If the server has no such identity.
    pub fn expire_sessions(&self, identity: &Identity) -> Result<(), UnknownError> {
        let identity = Some(identity.id().to_string());
        self.try_apply(Command::ExpireSessions { identity })
    }

    /// Restores the state and the clock that the server started with. Forgets requests, counts and
    /// violations.
    pub fn reset(&self) {
        self.apply(Command::Reset {});
    }

    /// The state of the server as JSON, without its log. It contains all secrets.
    pub fn dump(&self) -> String {
        serde_json::to_string(&Dump::of(&self.world)).unwrap_or_default()
    }

    /// Restores a state that this or another server [dumped](Self::dump).
    ///
    /// # Errors
    /// If `dump` is not a dump, or the directory of one of its collections cannot be opened.
    pub fn load(&self, dump: &str) -> Result<(), UnknownError> {
        let state = serde_json::from_str(dump).map_err(|error| UnknownError(error.to_string()))?;
        self.apply(Command::Load { state });
        Ok(())
    }

    /// Waits until the log holds at least `requests` requests since the start or reset of the
    /// server. It keeps the [last ones](FakeGlobusBuilder::keep_requests) only: for more than
    /// those, this never returns.
    pub async fn wait_for_requests(&self, requests: usize) {
        self.world.wait_for_requests(requests, |_| true).await;
    }

    /// Applies a command. Returns `false` if the command failed.
    fn apply(&self, command: Command) -> bool {
        command.apply(&self.world).is_ok()
    }

    fn try_apply(&self, command: Command) -> Result<(), UnknownError> {
        let done = command.apply(&self.world).map(drop);
        done.map_err(|error| UnknownError(error.to_string()))
    }

    /// Revokes all consents of the user with `identity`.
    ///
    /// # Errors
    /// If the server has no such identity.
    pub fn revoke_consents(&self, identity: &Identity) -> Result<(), UnknownError> {
        let identity = identity.id().to_string();
        self.try_apply(Command::RevokeConsents { identity })
    }

    /// Answers the next request of this kind with `status` and the JSON text `body`, without
    /// performing it.
    ///
    /// Several calls queue several responses. An invalid status becomes 500.
    pub fn fail_next(&self, kind: RequestKind, status: u16, body: impl Into<String>) {
        self.apply(Command::Fail(Fault::json(kind, status, body.into())));
    }

    /// Answers the next request to a service, such as `groups`, with a challenge in the service's
    /// own form. `parameters` is JSON text with the members of `authorization_parameters`.
    ///
    /// The service `https` stands for the HTTPS servers of collections.
    ///
    /// # Errors
    /// If `parameters` is not a requirement, or there is no such service.
    pub fn require_next(&self, service: &str, parameters: &str) -> Result<(), UnknownError> {
        let parameters = serde_json::from_str(parameters);
        let parameters = parameters.map_err(|error| UnknownError(error.to_string()))?;
        self.try_apply(Command::Fail(Fault::requiring(service, parameters)))
    }

    /// Adds a limit: some of the following requests are answered 429, with `Retry-After`.
    ///
    /// # Errors
    /// If the limit counts to 0, or is for a service or an operation that does not exist.
    pub fn limit(&self, limit: Limit) -> Result<(), UnknownError> {
        self.try_apply(Command::Limit(limit))
    }

    /// Simulates a broken back end of the collections' HTTPS servers: on each of the next
    /// `connections` that carry a request, every request is answered 404 with `c=ENDPOINT_ERROR`
    /// until the connection closes.
    pub fn break_back_end(&self, connections: usize) {
        self.apply(Command::BreakBackEnd(BrokenBackEnd {
            collection: None,
            connections,
            error: BackEndError::default(),
        }));
    }

    /// Removes all responses that tests queued, all limits and all broken back ends.
    pub fn clear_faults(&self) {
        self.apply(Command::ClearFaults {});
    }

    /// Whether Auth ignores `session_required_mfa` in a login that requires neither identities nor
    /// a domain. If not, Auth rejects such a login.
    pub fn ignore_lone_mfa(&self, ignore: bool) {
        self.apply(Command::IgnoreLoneMfa { ignore });
    }

    /// The requests so far, in the order in which they were answered. Only the
    /// [last ones](FakeGlobusBuilder::keep_requests) are kept.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.world.log().requests.iter().cloned().collect()
    }

    /// Counts of logins, grants, listings and challenges so far.
    pub fn counts(&self) -> Counts {
        self.world.log().counts
    }

    /// The faults of the programs under test so far, such as a code that was used twice. A test
    /// usually asserts that there are none. Only the
    /// [last ones](FakeGlobusBuilder::keep_requests) are kept.
    pub fn violations(&self) -> Vec<Violation> {
        self.world.log().violations.iter().cloned().collect()
    }

    /// Stops the server. It accepts no new connections, and waits up to 0.8 seconds for requests in
    /// progress.
    ///
    /// # Errors
    /// If a handler of the server panicked, or the server stopped listening by itself.
    pub async fn shutdown(mut self) -> Result<(), ShutdownError> {
        self.stop.take();
        // Dropping them stops them, too.
        let mut collections = self.world.https.take_tasks();
        let ended = async {
            for tasks in [&mut self.tasks, &mut collections] {
                while let Some(ended) = tasks.join_next().await {
                    let ended = ended.map_err(std::io::Error::other).and_then(|ended| ended);
                    ended.map_err(|error| ShutdownError(vec![error.to_string()]))?;
                }
            }
            Ok(())
        };
        match tokio::time::timeout(GRACE, ended).await {
            Ok(ended) => ended?,
            Err(_) => self.tasks.abort_all(),
        }
        let panics = std::mem::take(&mut self.world.log().panics);
        if panics.is_empty() {
            Ok(())
        } else {
            Err(ShutdownError(panics.into()))
        }
    }
}

fn router(services: &'static [Listed], world: &Shared) -> Router {
    let routes = services.iter().map(|service| (service.router)(world));
    let routes = routes.fold(Router::new(), Router::merge);
    let not_served =
        move |State(world), request: Request| service::not_served(services, world, request);
    let routes = routes
        .merge(control::routes())
        .fallback(not_served)
        .method_not_allowed_fallback(not_served);
    observe::with_common_layer(routes, world).with_state(world.clone())
}

impl fmt::Debug for FakeGlobus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without tokens, codes and the client's secret.
        f.debug_struct("FakeGlobus")
            .field("url", &self.world.base)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
