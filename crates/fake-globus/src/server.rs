//! The running server.

use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::serve::ListenerExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::builder::FakeGlobusBuilder;
use super::clock::Clock;
use super::command::{Command, Dump};
use super::fault::Fault;
use super::https::{BackEndError, BrokenBackEnd};
use super::identity::Identity;
use super::limit::Limit;
use super::listen::Listener;
use super::person::Person;
use super::record::{Counts, RequestKind, SeenRequest, Violation};
use super::service::Listed;
use super::state::Client;
use super::world::Shared;
use super::{auth, control, observe, service};

/// How long [`FakeGlobus::shutdown`] waits for requests that are still being answered.
const GRACE: Duration = Duration::from_millis(800);

/// An embedded Globus Transfer and Globus Auth, listening on 127.0.0.1 and nowhere else.
///
/// Auth and Transfer share one port, each other service has its own. Set `GLOBUS_SDK_SERVICE_URL_TRANSFER` and `GLOBUS_SDK_SERVICE_URL_AUTH` to
/// [`transfer_url`](Self::transfer_url) and [`auth_url`](Self::auth_url), and the official Python SDK and `globus`
/// command line talk to it. It stops when it is dropped; [`shutdown`](Self::shutdown) also tells how it went.
///
/// ```
/// use fake_globus::{Collection, FakeGlobus, Identity, Person};
/// use std::time::Duration;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let data = tempfile::tempdir()?;
/// std::fs::write(data.path().join("hello.txt"), "hello")?;
/// let ada = Identity::new("ada", "uchicago.edu");
/// let collection = Collection::new("My data", data.path()).domain("uchicago.edu").session_minutes(1);
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
/// let refused = list().await?;
/// assert_eq!(refused.status(), 502);
/// assert!(refused.text().await?.contains("530-GridFTP-JSON-Result"));
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

    /// Sets a server up.
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
            // Otherwise an answer in several pieces waits for the client to acknowledge the first: 40 ms.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let mut stopped = stopped.clone();
            let server = axum::serve(listener, router(services, &world));
            let server = server.with_graceful_shutdown(async move {
                // An error means that the handle is gone, which stops the server just the same.
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

    /// The base URL of Transfer, with a slash at its end: the value for `GLOBUS_SDK_SERVICE_URL_TRANSFER`.
    pub fn transfer_url(&self) -> &str {
        &self.world.base
    }

    /// The base URL of Auth, with a slash at its end: the value for `GLOBUS_SDK_SERVICE_URL_AUTH`.
    pub fn auth_url(&self) -> &str {
        &self.world.base
    }

    /// The environment variables that lead the official SDKs and command line to all services, and their values.
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

    /// The base URL of a service by the name that the SDKs have for it, such as `groups`; with a slash at its end.
    pub fn service_url(&self, name: &str) -> Option<&str> {
        let mut urls = self.world.urls.iter();
        let found = urls.find(|(known, _)| *known == name);
        found.map(|(_, url)| url.as_str())
    }

    /// The base URL of the HTTPS server of a collection, with a slash at its end. It speaks plain HTTP on loopback.
    pub fn https_url(&self, collection: Uuid) -> Option<String> {
        self.world.state().collection(collection)?;
        self.world.https.url(&self.world, collection).ok()
    }

    /// The id of a native client: it has no secret and uses PKCE.
    pub fn client_id(&self) -> Uuid {
        self.native
    }

    /// The id of a confidential client, which can also log in as itself. Its secret is
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

    /// The clock that session ages and token lifetimes are measured on.
    pub fn clock(&self) -> Clock {
        self.world.clock.clone()
    }

    /// Has somebody else answer the logins from now on.
    pub fn set_person(&self, person: Person) {
        self.apply(Command::SetPerson(person));
    }

    /// Logs everybody out of the browser: the next login authenticates anew, `prompt=login` or not.
    pub fn forget_browser(&self) {
        self.apply(Command::ForgetBrowser {});
    }

    /// Gives `identity` an access token without a login, as the native client, and the consents for `scopes` with it.
    /// The session counts as authenticated now. Where the scopes belong to several services, the token is for the
    /// first of them.
    ///
    /// # Errors
    /// If the identity is not among the server's, or the scopes cannot be parsed.
    pub fn issue_token(&self, identity: &Identity, scopes: &str) -> Result<String, UnknownError> {
        auth::grant::without_login(&self.world, self.native, identity.id(), scopes)
            .map_err(UnknownError)
    }

    /// Revokes an access or refresh token. `false` if there is no such token.
    pub fn revoke_token(&self, token: &str) -> bool {
        let token = token.to_owned();
        self.apply(Command::RevokeToken { token })
    }

    /// Revokes all tokens, of all users.
    pub fn revoke_all_tokens(&self) {
        self.apply(Command::RevokeTokens {});
    }

    /// Makes all sessions of the user that `identity` belongs to older than any policy allows.
    pub fn expire_sessions(&self, identity: &Identity) {
        let identity = Some(identity.id().to_string());
        self.apply(Command::ExpireSessions { identity });
    }

    /// Goes back to how the server started, its clock included. Requests, counts and violations are forgotten.
    pub fn reset(&self) {
        self.apply(Command::Reset {});
    }

    /// All that the server remembers, but for its log, as JSON: with all secrets.
    pub fn dump(&self) -> String {
        serde_json::to_string(&Dump::of(&self.world)).unwrap_or_default()
    }

    /// Goes back to what was [dumped](Self::dump), here or by another server.
    ///
    /// # Errors
    /// If it is no dump, or a collection's directory is gone.
    pub fn load(&self, dump: &str) -> Result<(), UnknownError> {
        let state = serde_json::from_str(dump).map_err(|error| UnknownError(error.to_string()))?;
        self.apply(Command::Load { state });
        Ok(())
    }

    /// Waits until the server has answered `requests` requests in all.
    pub async fn wait_for_requests(&self, requests: usize) {
        self.world.wait_for_requests(requests, |_| true).await;
    }

    /// Gives a command that cannot fail, or whose failure is told by `false`.
    fn apply(&self, command: Command) -> bool {
        command.apply(&self.world).is_ok()
    }

    /// Withdraws all consents of the user that `identity` belongs to.
    pub fn revoke_consents(&self, identity: &Identity) {
        let identity = identity.id().to_string();
        self.apply(Command::RevokeConsents { identity });
    }

    /// Answers the next request of this kind with `status` and the JSON text `body`, instead of doing what it says.
    /// Called more than once, the answers queue up. A status that HTTP does not have becomes 500.
    pub fn fail_next(&self, kind: RequestKind, status: u16, body: impl Into<String>) {
        self.apply(Command::Fail(Fault::json(kind, status, body.into())));
    }

    /// Refuses the next request of a service, such as `groups`, with a requirement: JSON text with the members of
    /// `authorization_parameters`. The service says it in its own form.
    ///
    /// # Errors
    /// If it is no requirement, or there is no such service. That of the collections' HTTPS servers is `https`.
    pub fn require_next(&self, service: &str, parameters: &str) -> Result<(), UnknownError> {
        let parameters = serde_json::from_str(parameters);
        let parameters = parameters.map_err(|error| UnknownError(error.to_string()))?;
        let done = Command::Fail(Fault::requiring(service, parameters)).apply(&self.world);
        done.map(drop)
            .map_err(|error| UnknownError(error.to_string()))
    }

    /// Answers some of the requests to come with 429, with `Retry-After`.
    ///
    /// # Errors
    /// If the limit counts to 0.
    pub fn limit(&self, limit: Limit) -> Result<(), UnknownError> {
        let done = Command::Limit(limit).apply(&self.world);
        done.map(drop)
            .map_err(|error| UnknownError(error.to_string()))
    }

    /// Breaks a back end of the collections' HTTPS servers: on each of the next connections that a request comes on, all
    /// requests are answered 404 with `c=ENDPOINT_ERROR` for as long as the connection lasts.
    pub fn break_back_end(&self, connections: usize) {
        self.apply(Command::BreakBackEnd(BrokenBackEnd {
            collection: None,
            connections,
            error: BackEndError::default(),
        }));
    }

    /// Forgets all answers that were ordered, limits and broken back ends.
    pub fn clear_faults(&self) {
        self.apply(Command::ClearFaults {});
    }

    /// Has Auth ignore `session_required_mfa` where neither identities nor a domain are required beside it, or refuse it.
    pub fn ignore_lone_mfa(&self, ignore: bool) {
        self.apply(Command::IgnoreLoneMfa { ignore });
    }

    /// The requests seen so far, in the order in which they were answered; the
    /// [last ones](FakeGlobusBuilder::keep_requests) where not all are kept.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.world.log().requests.iter().cloned().collect()
    }

    /// How often what happened so far.
    pub fn counts(&self) -> Counts {
        self.world.log().counts
    }

    /// What no well-behaved program would have done. An empty list is what a test wants to see.
    pub fn violations(&self) -> Vec<Violation> {
        self.world.log().violations.iter().cloned().collect()
    }

    /// Stops the server: no new connections, and up to 0.8 seconds for requests that are still being answered.
    ///
    /// # Errors
    /// If one of the server's own handlers panicked, or the server stopped listening by itself.
    pub async fn shutdown(mut self) -> Result<(), ShutdownError> {
        self.stop.take();
        let ended = async {
            while let Some(ended) = self.tasks.join_next().await {
                let ended = ended.map_err(std::io::Error::other).and_then(|ended| ended);
                ended.map_err(|error| ShutdownError(vec![error.to_string()]))?;
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
        // Tokens, codes and the client's secret stay out.
        f.debug_struct("FakeGlobus")
            .field("url", &self.world.base)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// An identity or scope that [`FakeGlobus::issue_token`] does not know.
#[derive(Debug)]
pub struct UnknownError(String);

impl fmt::Display for UnknownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownError {}

/// What went wrong inside a [`FakeGlobus`] while it ran.
#[derive(Debug)]
pub struct ShutdownError(Vec<String>);

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server failed while it ran: {}", self.0.join("; "))
    }
}

impl std::error::Error for ShutdownError {}
