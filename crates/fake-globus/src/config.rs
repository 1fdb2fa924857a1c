//! [`Config`]: the settings of a server, from a builder, from flags or from a file.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::{Uuid, uuid};

use super::builder::StartError;
use super::collection::Collection;
use super::command::Command;
use super::compute::ComputeEndpoint;
use super::flows::Flow;
use super::groups::Group;
use super::identity::Identity;
use super::limit::Limit;
use super::person::Person;
use super::record::KEPT;
use super::secret;
use super::stable_id::stable_id;
use super::state::Client;

/// The id of the `globus` command line's native client. The command line registers its instances
/// with it.
const GLOBUS_CLI: Uuid = uuid!("95fdeba8-fac2-42bd-a357-e068d82ff78e");

/// The settings of a server, in the format of a configuration file of the program `fake-globus`.
/// An unknown field is an error.
///
/// | member | default | |
/// | --- | --- | --- |
/// | `host` | `"127.0.0.1"` | the address to listen on |
/// | `port` | 0 | the port of Auth and Transfer; the ports after it are for the others |
/// | `public_url` | none | the URL of Auth and Transfer as clients reach it |
/// | `keep_requests` | 100000 | how many requests and violations the log keeps |
/// | `redirect_uris` | none | those of clients that have none of their own |
/// | `ignore_lone_mfa` | false | Auth ignores a lone requirement of a second factor |
/// | `person` | a browser | who answers the login page |
/// | `identities` | `ada@uchicago.edu` | the users |
/// | `clients` | one of each kind | native and confidential clients |
/// | `collections`, `flows`, `groups`, `compute_endpoints` | none | |
/// | `consents` | none | consents given before the server starts |
/// | `limits` | none | schedules of 429 responses |
///
/// The members of these tables, with those that are required first. An id is derived from the name
/// by default.
///
/// | table | members |
/// | --- | --- |
/// | `person` | `login` (`"browser"`, `"approve"` or `"decline"`), `delay_ms`, `picks`, `mfa` |
/// | an identity | `username`; `id`, `full_name`, `linked` (identities) |
/// | a client | `id`, `name`; `secret` (without one, the client is native), `redirect_uris` |
/// | a collection | `name`, `root`; `id`, `policies`, `high_assurance`, `errors`, requirements |
/// | its requirements | `session_minutes`, `domains`, `required_identities`, `mfa`, `data_access` |
/// | a flow | `title`; `id`, `policies` |
/// | a group | `name`; `id`, `description`, `session_minutes`, `members` (`identity`, `role`) |
/// | a Compute endpoint | `name`; `id`, `owner`, `policies` |
/// | a policy | `name`; `id`, `description`, `project`, `high_assurance`, requirements |
/// | its requirements | `session_minutes`, `session_seconds`, `domains`, `excluded_domains`, `mfa`|
/// | a consent | `identity`, `scopes`; `client` |
/// | a limit | `next` or `every`; `kind`, `service`, `operation`, `retry_after` |
///
/// ```
/// use fake_globus::{Config, FakeGlobusBuilder};
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = r#"{"identities": [{"username": "ada@uchicago.edu"}]}"#;
/// let config: Config = serde_json::from_str(config)?;
/// let globus = FakeGlobusBuilder::from(config).start().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub(super) host: IpAddr,
    pub(super) port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_url: Option<String>,
    pub(super) keep_requests: usize,
    pub(super) redirect_uris: Vec<String>,
    pub(super) ignore_lone_mfa: bool,
    pub(super) person: Person,
    pub(super) identities: Vec<Identity>,
    pub(super) clients: Vec<Client>,
    pub(super) collections: Vec<Collection>,
    pub(super) flows: Vec<Flow>,
    pub(super) groups: Vec<Group>,
    pub(super) compute_endpoints: Vec<ComputeEndpoint>,
    pub(super) consents: Vec<GivenConsent>,
    pub(super) limits: Vec<Limit>,
}

/// Consents that a user gave a client before the server starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenConsent {
    identity: String,
    #[serde(default)]
    client: Option<Uuid>,
    scopes: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            public_url: None,
            keep_requests: KEPT,
            redirect_uris: Vec::new(),
            ignore_lone_mfa: false,
            person: Person::default(),
            identities: Vec::new(),
            clients: Vec::new(),
            collections: Vec::new(),
            flows: Vec::new(),
            groups: Vec::new(),
            compute_endpoints: Vec::new(),
            consents: Vec::new(),
            limits: Vec::new(),
        }
    }
}

impl Config {
    /// Sets the address to listen on. Default: 127.0.0.1.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Sets the port of Auth and Transfer. Eight ports after it are for the other services, then
    /// one for each collection. Default: 0, which takes free ports.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the URL of Auth and Transfer as clients reach it. The ports of the other services are
    /// counted from its port. Default: the address and port that the server listens on; a loopback
    /// address if it listens on all addresses.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Sets the person who answers the login page. Default: [`Person::browser`].
    pub fn person(mut self, person: Person) -> Self {
        self.person = person;
        self
    }

    /// Adds a user.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identities.push(identity);
        self
    }

    /// Adds a collection.
    pub fn collection(mut self, collection: Collection) -> Self {
        self.collections.push(collection);
        self
    }

    /// Resolves relative directories of collections against `directory`.
    pub fn relative_to(mut self, directory: impl AsRef<Path>) -> Self {
        for collection in &mut self.collections {
            collection.root = directory.as_ref().join(&collection.root);
        }
        self
    }

    /// The ids of all collections. For the program `fake-globus`.
    #[doc(hidden)]
    pub fn collection_ids(&self) -> impl Iterator<Item = Uuid> {
        self.collections.iter().map(Collection::id)
    }

    /// Adds what is missing: a user, a native client and a confidential client.
    pub(super) fn completed(mut self) -> Self {
        if self.identities.is_empty() {
            let ada = Identity::new("ada", "uchicago.edu");
            self.identities.push(ada.full_name("Ada Lovelace"));
        }
        for (name, is_native) in [
            ("Test application", true),
            ("Confidential test application", false),
        ] {
            let mut clients = self.clients.iter();
            if !clients.any(|client| client.secret.is_none() == is_native) {
                self.clients.push(Client {
                    id: stable_id("client", name),
                    name: name.to_owned(),
                    secret: (!is_native).then(|| secret::random(40)),
                    redirect_uris: Vec::new(),
                });
            }
        }
        let bare = self.clients.iter_mut();
        for client in bare.filter(|client| client.redirect_uris.is_empty()) {
            client.redirect_uris.clone_from(&self.redirect_uris);
        }
        self
    }

    /// The id of the first native client, and the first confidential client. A completed
    /// configuration has both.
    pub(super) fn first_clients(&self) -> (Uuid, Option<Client>) {
        let native = self.clients.iter().find(|client| client.secret.is_none());
        let confidential = self.clients.iter().find(|client| client.secret.is_some());
        (
            native.map_or(GLOBUS_CLI, |client| client.id),
            confidential.cloned(),
        )
    }

    /// The commands that apply these settings to an empty server.
    pub(super) fn commands(self) -> Vec<Command> {
        let (native, _) = self.first_clients();
        let has_cli = self.clients.iter().any(|client| client.id == GLOBUS_CLI);
        let cli = (!has_cli).then(|| Client {
            id: GLOBUS_CLI,
            name: "Globus CLI".to_owned(),
            secret: None,
            redirect_uris: Vec::new(),
        });
        let consents = self
            .consents
            .into_iter()
            .map(|given| Command::GrantConsents {
                identity: given.identity,
                client: Some(given.client.unwrap_or(native)),
                scopes: given.scopes,
            });
        let clients = self.clients.into_iter().chain(cli);
        [Command::SetPerson(self.person)]
            .into_iter()
            .chain(self.identities.into_iter().map(Command::AddIdentity))
            .chain(clients.map(Command::AddClient))
            .chain(self.collections.into_iter().map(Command::AddCollection))
            .chain(self.flows.into_iter().map(Command::AddFlow))
            .chain(self.groups.into_iter().map(Command::AddGroup))
            .chain(
                self.compute_endpoints
                    .into_iter()
                    .map(Command::AddComputeEndpoint),
            )
            .chain(consents)
            .chain(self.limits.into_iter().map(Command::Limit))
            .chain([Command::IgnoreLoneMfa {
                ignore: self.ignore_lone_mfa,
            }])
            .collect()
    }

    /// The parsed public URL.
    pub(super) fn parsed_public_url(&self) -> Result<Option<Url>, StartError> {
        let Some(public) = &self.public_url else {
            return Ok(None);
        };
        let invalid = |source| {
            let what = format!("the public URL {public} cannot be used");
            StartError::new(what, source)
        };
        let url = Url::parse(public).map_err(|error| invalid(error.to_string()))?;
        if url.host_str().is_none() || !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("it is not an http URL with a host".to_owned()));
        }
        Ok(Some(url))
    }
}
