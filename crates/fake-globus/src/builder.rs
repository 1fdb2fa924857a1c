//! [`FakeGlobusBuilder`]: the settings of a server in Rust.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{Notify, watch};

use super::auth::id_token::SigningKey;
use super::clock::Clock;
use super::collection::Collection;
use super::command::CommandError;
use super::compute::ComputeEndpoint;
use super::config::Config;
use super::flows::Flow;
use super::groups::Group;
use super::identity::Identity;
use super::limit::Limit;
use super::listen::{self, HttpsServers};
use super::person::Person;
use super::record::Log;
use super::server::FakeGlobus;
use super::state::State;
use super::world::World;

/// Builds a [`FakeGlobus`]. Created by [`FakeGlobus::builder`], or from a [`Config`].
///
/// ```
/// use fake_globus::{Collection, FakeGlobus, Identity, Person, Policy};
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let data = tempfile::tempdir()?;
/// let strict = Policy::new("Campus, with a second factor").domain("uchicago.edu").mfa();
/// let globus = FakeGlobus::builder()
///     .collection(Collection::new("Open", data.path()))
///     .collection(Collection::new("Strict", data.path()).policy(strict).data_access())
///     .identity(Identity::new("ada", "uchicago.edu").full_name("Ada Lovelace"))
///     .person(Person::automatic())
///     .start()
///     .await?;
/// println!("GLOBUS_SDK_SERVICE_URL_TRANSFER={}", globus.transfer_url());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeGlobusBuilder {
    pub(super) config: Config,
}

impl From<Config> for FakeGlobusBuilder {
    fn from(config: Config) -> Self {
        Self { config }
    }
}

impl FakeGlobusBuilder {
    /// Sets the port of Auth and Transfer. The other services take the eight ports after it, and
    /// the HTTPS servers of collections the ports after those. Default: 0, which takes free ports.
    pub fn port(mut self, port: u16) -> Self {
        self.config.port = port;
        self
    }

    /// Adds a collection. May be called more than once.
    pub fn collection(mut self, collection: Collection) -> Self {
        self.config.collections.push(collection);
        self
    }

    /// Adds a flow. May be called more than once.
    pub fn flow(mut self, flow: Flow) -> Self {
        self.config.flows.push(flow);
        self
    }

    /// Adds a group. May be called more than once.
    pub fn group(mut self, group: Group) -> Self {
        self.config.groups.push(group);
        self
    }

    /// Adds a Compute endpoint. May be called more than once.
    pub fn compute_endpoint(mut self, endpoint: ComputeEndpoint) -> Self {
        self.config.compute_endpoints.push(endpoint);
        self
    }

    /// Adds a limit: some requests are answered 429. May be called more than once.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.config.limits.push(limit);
        self
    }

    /// Whether Auth ignores `session_required_mfa` in a login that requires neither identities nor
    /// a domain. Default: `false`, which rejects such a login.
    pub fn ignore_lone_mfa(mut self, ignore: bool) -> Self {
        self.config.ignore_lone_mfa = ignore;
        self
    }

    /// Adds a user with this identity and the identities linked to it. May be called more than
    /// once.
    ///
    /// An automatic person logs in as the first user that satisfies the requirement of the login.
    /// Default: one user, `ada@uchicago.edu`.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.config.identities.push(identity);
        self
    }

    /// Sets the person who answers the login page. Default: [`Person::browser`].
    pub fn person(mut self, person: Person) -> Self {
        self.config.person = person;
        self
    }

    /// Adds a redirect URI for clients that registered none. Every client may also be redirected to
    /// loopback addresses and to the page that shows the code.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.config.redirect_uris.push(uri.into());
        self
    }

    /// Sets how many requests and violations are kept for [`FakeGlobus::requests`] and
    /// [`FakeGlobus::violations`]. The counts are not limited. Default: 100,000.
    pub fn keep_requests(mut self, requests: usize) -> Self {
        self.config.keep_requests = requests;
        self
    }

    /// Starts the server on tasks of the current Tokio runtime.
    ///
    /// # Errors
    /// If a port is taken, the directory of a collection cannot be opened, or settings contradict
    /// each other.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn start(self) -> Result<FakeGlobus, StartError> {
        let config = self.config.completed();
        let key = SigningKey::new()
            .map_err(|source| StartError::new("cannot read the signing key", source))?;
        let public = config.parsed_public_url()?;
        let (listeners, urls) = listen::all(&config, public.as_ref()).await?;
        let base = urls.first().map(|(_, url)| url.clone());
        let (stop, stopped) = watch::channel(());
        let world = Arc::new(World {
            base: base.unwrap_or_default(),
            urls,
            https: HttpsServers::new(&config, public.clone(), stopped.clone()),
            host: public.and_then(|url| Some(url.host_str()?.to_owned())),
            clock: Clock::default(),
            key,
            initial: OnceLock::new(),
            state: Mutex::new(State::default()),
            log: Mutex::new(Log::keeping(config.keep_requests)),
            submitting: tokio::sync::Mutex::default(),
            recorded: Notify::new(),
        });
        let (native, confidential) = config.first_clients();
        for command in config.commands() {
            command.apply(&world)?;
        }
        let state = world.state().clone();
        // It cannot be set yet.
        let _ = world.initial.set(state);
        Ok(FakeGlobus::serve(
            listeners,
            world,
            (stop, stopped),
            native,
            confidential,
        ))
    }
}

/// An error from starting a [`FakeGlobus`].
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StartError {
    pub(super) fn new(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

impl From<CommandError> for StartError {
    fn from(error: CommandError) -> Self {
        Self {
            what: error.to_string(),
            source: error.source.map(Into::into),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
