//! Setting the server up.

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

/// Sets up a [`FakeGlobus`]; made by [`FakeGlobus::builder`].
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
    /// Listens on this port of 127.0.0.1 for Auth and Transfer, on the eight that follow for the other services, and
    /// on those after them for the HTTPS servers of collections.
    /// Default: 0, free ones.
    pub fn port(mut self, port: u16) -> Self {
        self.config.port = port;
        self
    }

    /// Serves `collection`. Any number of them may be added.
    pub fn collection(mut self, collection: Collection) -> Self {
        self.config.collections.push(collection);
        self
    }

    /// Offers `flow` to be run. Any number of them may be added.
    pub fn flow(mut self, flow: Flow) -> Self {
        self.config.flows.push(flow);
        self
    }

    /// Adds `group`. Any number of them may be added.
    pub fn group(mut self, group: Group) -> Self {
        self.config.groups.push(group);
        self
    }

    /// Adds an endpoint of Compute. Any number of them may be added.
    pub fn compute_endpoint(mut self, endpoint: ComputeEndpoint) -> Self {
        self.config.compute_endpoints.push(endpoint);
        self
    }

    /// Answers some requests with 429. Any number of limits may be added.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.config.limits.push(limit);
        self
    }

    /// Has Auth ignore `session_required_mfa` where neither identities nor a domain are required beside it. Default: it
    /// refuses the login.
    pub fn ignore_lone_mfa(mut self, ignore: bool) -> Self {
        self.config.ignore_lone_mfa = ignore;
        self
    }

    /// Lets a user with this identity, and those linked to it, log in. The first one added is who an automatic person
    /// is, unless somebody else satisfies what is asked for. Without any, there is `ada@uchicago.edu`.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.config.identities.push(identity);
        self
    }

    /// Who answers the login page. Default: [`Person::browser`].
    pub fn person(mut self, person: Person) -> Self {
        self.config.person = person;
        self
    }

    /// Allows the clients that have none of their own to be redirected to `uri`, besides loopback and the page that shows the code.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.config.redirect_uris.push(uri.into());
        self
    }

    /// Keeps notes of the last `requests` requests and violations. The counts go on. Default: 100,000.
    pub fn keep_requests(mut self, requests: usize) -> Self {
        self.config.keep_requests = requests;
        self
    }

    /// Starts the server, on a task of the current runtime.
    ///
    /// # Errors
    /// If the port is taken, a collection's directory cannot be opened, or its settings contradict each other.
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
        // Nobody else has set it.
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

/// Why a [`FakeGlobus`] did not start.
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
