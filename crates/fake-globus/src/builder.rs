//! Setting the server up.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use uuid::{Uuid, uuid};

use super::auth::id_token::SigningKey;
use super::clock::Clock;
use super::collection::Collection;
use super::consent::Consents;
use super::identity::{Identity, User};
use super::listen;
use super::person::Person;
use super::record::{KEPT, Log};
use super::secret;
use super::server::FakeGlobus;
use super::stable_id::stable_id;
use super::transfer::directory::Directory;
use super::world::{Client, Served, State, World};

/// The id that the `globus` command line registers its own clients with.
const GLOBUS_CLI: Uuid = uuid!("95fdeba8-fac2-42bd-a357-e068d82ff78e");

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
    port: u16,
    collections: Vec<Collection>,
    identities: Vec<Identity>,
    person: Person,
    redirect_uris: Vec<String>,
    kept: Option<usize>,
}

impl FakeGlobusBuilder {
    /// Listens on this port of 127.0.0.1 for Auth and Transfer, and on those that follow for the other services.
    /// Default: 0, free ones.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves `collection`. Any number of them may be added.
    pub fn collection(mut self, collection: Collection) -> Self {
        self.collections.push(collection);
        self
    }

    /// Lets a user with this identity, and those linked to it, log in. The first one added is who an automatic person
    /// is, unless somebody else satisfies what is asked for. Without any, there is `ada@uchicago.edu`.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identities.push(identity);
        self
    }

    /// Who answers the login page. Default: [`Person::browser`].
    pub fn person(mut self, person: Person) -> Self {
        self.person = person;
        self
    }

    /// Allows the two clients to be redirected to `uri`, besides loopback and the page that shows the code.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Keeps notes of the last `requests` requests and violations. The counts go on. Default: 10,000.
    pub fn keep_requests(mut self, requests: usize) -> Self {
        self.kept = Some(requests);
        self
    }

    /// Starts the server, on a task of the current runtime.
    ///
    /// # Errors
    /// If the port is taken, a collection's directory cannot be opened, or its settings contradict each other.
    pub async fn start(mut self) -> Result<FakeGlobus, StartError> {
        if self.identities.is_empty() {
            self.identities
                .push(Identity::new("ada", "uchicago.edu").full_name("Ada Lovelace"));
        }
        let native = Client {
            id: stable_id("client", "Test application"),
            name: "Test application".to_owned(),
            secret: None,
            redirect_uris: self.redirect_uris.clone(),
        };
        let confidential = Client {
            id: stable_id("client", "Confidential test application"),
            name: "Confidential test application".to_owned(),
            secret: Some(secret::random(40)),
            redirect_uris: self.redirect_uris,
        };
        let cli = Client {
            id: GLOBUS_CLI,
            name: "Globus CLI".to_owned(),
            secret: None,
            redirect_uris: Vec::new(),
        };

        let mut collections = Vec::new();
        for collection in self.collections {
            if let Some(contradiction) = collection.contradiction() {
                return Err(StartError::alone(contradiction));
            }
            let twin = |served: &Arc<Served>| served.collection.id == collection.id;
            if collections.iter().any(twin) {
                let id = collection.id;
                return Err(StartError::alone(format!(
                    "two collections have the id {id}"
                )));
            }
            let directory = Directory::open(&collection.root).map_err(|source| {
                StartError::new(
                    format!("cannot open the directory {}", collection.root.display()),
                    source,
                )
            })?;
            collections.push(Arc::new(Served {
                collection,
                directory,
            }));
        }
        let key = SigningKey::new()
            .map_err(|source| StartError::new("cannot read the signing key", source))?;
        let (listeners, urls) = listen::all(self.port).await?;
        let base = urls.first().map(|(_, url)| url.clone());

        let mut users: Vec<User> = self.identities.into_iter().map(User::new).collect();
        users.push(User::of_client(confidential.id));
        let world = World {
            base: base.unwrap_or_default(),
            urls,
            clock: Clock::default(),
            key,
            collections,
            state: Mutex::new(State {
                person: self.person,
                users,
                clients: HashMap::from(
                    [&native, &confidential, &cli].map(|client| (client.id, client.clone())),
                ),
                browser: BTreeMap::new(),
                tickets: HashMap::new(),
                codes: HashMap::new(),
                tokens: HashMap::new(),
                consents: Consents::default(),
                faults: VecDeque::new(),
                tasks: VecDeque::new(),
            }),
            log: Mutex::new(Log {
                kept: self.kept.unwrap_or(KEPT),
                ..Log::default()
            }),
        };
        Ok(FakeGlobus::serve(
            listeners,
            Arc::new(world),
            native.id,
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

    fn alone(what: String) -> Self {
        Self { what, source: None }
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
