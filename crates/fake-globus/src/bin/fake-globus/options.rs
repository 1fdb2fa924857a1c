//! The command line options, and the configuration that they describe.

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, Parser};
use fake_globus::{Collection, Config, ErrorShape, Identity, Person, Policy};

const NETWORK: &str = "Network";
const COLLECTION: &str = "Collection";
const LOGINS: &str = "Logins";

/// Run a fake Globus until the program is interrupted.
///
/// The program prints shell variables: the URLs of the services, the ids and the secret of two
/// clients, and the id of a collection. The official SDKs and the `globus` command line read the
/// URLs from their environment.
#[derive(Debug, Parser)]
#[command(name = "fake-globus", version, args_override_self = true)]
#[command(group = clap::ArgGroup::new("simple").multiple(true).args([
    "root", "identity", "session_minutes", "domain", "mfa", "policy", "high_assurance", "data_access", "errors",
]))]
#[command(group = clap::ArgGroup::new("automatic").args(["auto", "decline"]))]
pub(crate) struct Options {
    /// TOML file with identities, clients, collections, policies and consents.
    #[arg(long, value_name = "FILE", conflicts_with = "simple")]
    config: Option<PathBuf>,

    /// Print the configuration that the options describe, and exit [needs --root or --config].
    #[arg(long)]
    pub(crate) print_config: bool,

    /// Port of Auth and Transfer, or 0 for free ports [default: 0].
    ///
    /// The next eight ports are for the other services, the ports after them for the HTTPS servers
    /// of collections.
    #[arg(long, help_heading = NETWORK)]
    port: Option<u16>,

    /// Address to listen on [default: 127.0.0.1].
    ///
    /// Anyone who can reach the address can log in as any identity.
    #[arg(long, value_name = "ADDRESS", help_heading = NETWORK)]
    host: Option<IpAddr>,

    /// URL of Auth and Transfer as clients reach them.
    ///
    /// The ports of the other services are counted from the port of this URL.
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    public_url: Option<String>,

    /// Directory of the collection [default: a temporary directory with a few files].
    #[arg(long, value_name = "DIR", help_heading = COLLECTION)]
    root: Option<PathBuf>,

    /// Require a login within the last N minutes.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = COLLECTION,
    )]
    session_minutes: Option<u64>,

    /// Require an identity of this domain; with several domains, of one of them.
    #[arg(long = "domain", id = "domain", value_name = "DOMAIN", help_heading = COLLECTION)]
    domains: Vec<String>,

    /// Require a second factor.
    #[arg(long, help_heading = COLLECTION)]
    mfa: bool,

    /// Require a policy that an identity of DOMAIN satisfies. May be given more than once.
    #[arg(long = "policy", id = "policy", value_name = "DOMAIN", help_heading = COLLECTION)]
    policies: Vec<String>,

    /// Make the collection a high-assurance collection.
    #[arg(long, conflicts_with = "data_access", help_heading = COLLECTION)]
    high_assurance: bool,

    /// Require consent to the collection's data_access scope.
    #[arg(long, help_heading = COLLECTION)]
    data_access: bool,

    /// Where a session error has its requirement [default: both].
    #[arg(long, value_enum, value_name = "SHAPE", help_heading = COLLECTION)]
    errors: Option<Shape>,

    /// Identity that can log in [default: ada@uchicago.edu].
    ///
    /// Several identities are linked: they belong to one user.
    #[arg(long = "identity", value_name = "USER@DOMAIN", id = "identity", help_heading = LOGINS)]
    identities: Vec<Identity>,

    /// Approve every login without showing the login page.
    #[arg(long, help_heading = LOGINS)]
    auto: bool,

    /// Deny every login without showing the login page.
    #[arg(long, help_heading = LOGINS)]
    decline: bool,

    /// With --auto or --decline: answer a login after this time.
    #[arg(long, value_name = "MILLISECONDS", requires = "automatic", help_heading = LOGINS)]
    delay_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Shape {
    /// At the root of the document and in the GridFTP reply.
    Both,
    /// In the GridFTP reply only, where the Python SDK does not find it.
    Embedded,
    /// In the GridFTP reply of an older server, as a list of domains.
    Older,
}

impl Options {
    /// Parses the command line. Exits with a message if options contradict each other.
    pub(crate) fn read() -> Self {
        let options = Self::parse();
        if matches!(options.errors, Some(Shape::Older)) && options.mfa {
            let kind = clap::error::ErrorKind::ArgumentConflict;
            let reason = "an older server cannot ask for a second factor";
            Self::command().error(kind, reason).exit();
        }
        if options.print_config && options.needs_samples() {
            let kind = clap::error::ErrorKind::MissingRequiredArgument;
            let reason = "--print-config needs --root: the default directory is temporary";
            Self::command().error(kind, reason).exit();
        }
        options
    }

    /// Whether a temporary directory with sample files is needed.
    pub(crate) fn needs_samples(&self) -> bool {
        self.config.is_none() && self.root.is_none()
    }

    /// The configuration that the options describe. `samples` is the default directory.
    pub(crate) fn config(self, samples: Option<&Path>) -> Result<Config, Box<dyn Error>> {
        let mut config = match &self.config {
            Some(file) => read(file)?,
            None => self.simple(samples),
        };
        if let Some(port) = self.port {
            config = config.port(port);
        }
        if let Some(host) = self.host {
            config = config.host(host);
        }
        if let Some(url) = self.public_url {
            config = config.public_url(url);
        }
        let delay = Duration::from_millis(self.delay_ms.unwrap_or_default());
        let person = Person::automatic().delay(delay);
        Ok(match (self.decline, self.auto) {
            (true, _) => config.person(person.declines()),
            (false, true) => config.person(person),
            (false, false) => config,
        })
    }

    fn simple(&self, samples: Option<&Path>) -> Config {
        let config = Config::default().collection(self.collection(samples));
        let mut identities = self.identities.iter().cloned();
        match identities.next() {
            Some(first) => config.identity(identities.fold(first, Identity::linked)),
            None => config,
        }
    }

    fn collection(&self, samples: Option<&Path>) -> Collection {
        let root = self.root.as_deref().or(samples).unwrap_or(Path::new("."));
        let shape = match self.errors {
            None | Some(Shape::Both) => ErrorShape::RootAndEmbedded,
            Some(Shape::Embedded) => ErrorShape::Embedded,
            Some(Shape::Older) => ErrorShape::Detail,
        };
        let mut collection = Collection::new("Fake collection", root).errors(shape);
        if let Some(minutes) = self.session_minutes {
            collection = collection.session_minutes(minutes);
        }
        if self.mfa {
            collection = collection.mfa();
        }
        if self.high_assurance {
            collection = collection.high_assurance();
        }
        if self.data_access {
            collection = collection.data_access();
        }
        collection = self.domains.iter().fold(collection, Collection::domain);
        let policy = |domain: &String| Policy::new(format!("Members of {domain}")).domain(domain);
        let policies = self.policies.iter().map(policy);
        policies.fold(collection, Collection::policy)
    }
}

/// Reads a configuration file. Relative directories are resolved against the file's directory.
fn read(file: &Path) -> Result<Config, Box<dyn Error>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let config: Config = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    Ok(config.relative_to(file.parent().unwrap_or(Path::new("."))))
}
