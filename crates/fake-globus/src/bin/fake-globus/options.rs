//! The command line, and the configuration that it stands for.

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, Parser};
use fake_globus::{Collection, Config, ErrorShape, Identity, Person, Policy};

/// Runs a fake Globus, on 127.0.0.1 unless --host says otherwise, until it is interrupted.
///
/// It prints, for a shell to evaluate, where the services are, a client's id and secret, and the id of a collection over
/// a directory of this machine. The official Python SDK and the `globus` command line follow these variables.
#[derive(Debug, Parser)]
#[command(name = "fake-globus", version)]
#[command(group = clap::ArgGroup::new("simple").multiple(true).args([
    "root", "identity", "session_minutes", "domain", "mfa", "policy", "high_assurance", "data_access", "errors",
]))]
#[command(group = clap::ArgGroup::new("automatic").args(["auto", "decline"]))]
pub(crate) struct Options {
    /// TOML file with people, clients, collections, policies and consents.
    #[arg(long, value_name = "FILE", conflicts_with = "simple")]
    config: Option<PathBuf>,

    /// Print the configuration that the options stand for, and do not start.
    #[arg(long)]
    pub(crate) print_config: bool,

    /// Port to listen on, for Auth and Transfer. Each other service takes one of the eight ports that follow, and the
    /// HTTPS server of each collection one of those after them; the program tells which. 0 takes free ones.
    #[arg(long)]
    port: Option<u16>,

    /// Address to listen on [default: 127.0.0.1]. Whoever reaches it can log in as anybody.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,

    /// URL of the port, as clients reach it; the other services count from its port.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// Directory that the collection serves [default: a temporary one with a few files].
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Somebody who can log in [default: ada@uchicago.edu]. Given more than once, they are all identities of one person.
    #[arg(long = "identity", value_name = "USER@DOMAIN", id = "identity")]
    identities: Vec<Identity>,

    /// The collection demands a login within the last N minutes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    session_minutes: Option<u64>,

    /// The collection demands an identity of this domain. Given more than once, any of them.
    #[arg(long = "domain", id = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,

    /// The collection demands a second factor.
    #[arg(long)]
    mfa: bool,

    /// The collection demands a policy that is satisfied by an identity of DOMAIN. May be given more than once.
    #[arg(long = "policy", id = "policy", value_name = "DOMAIN")]
    policies: Vec<String>,

    /// The collection has high assurance.
    #[arg(long, conflicts_with = "data_access")]
    high_assurance: bool,

    /// The collection demands consent to data access.
    #[arg(long)]
    data_access: bool,

    /// Where session errors say what they ask for.
    #[arg(long, value_enum)]
    errors: Option<Shape>,

    /// Answer every login at once, without a page: as somebody who approves.
    #[arg(long)]
    auto: bool,

    /// Answer every login at once, without a page: as somebody who denies.
    #[arg(long, conflicts_with = "auto")]
    decline: bool,

    /// With --auto or --decline: take so long to answer.
    #[arg(long, value_name = "MILLISECONDS", requires = "automatic")]
    delay_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Shape {
    /// At the root and in the GridFTP reply.
    Both,
    /// In the GridFTP reply alone, which the Python SDK does not understand.
    Embedded,
    /// In the GridFTP reply of an older server, as a list of domains.
    Older,
}

impl Options {
    /// Reads the command line. What contradicts itself ends the program.
    pub(crate) fn read() -> Self {
        let options = Self::parse();
        if matches!(options.errors, Some(Shape::Older)) && options.mfa {
            let kind = clap::error::ErrorKind::ArgumentConflict;
            let reason = "an older server cannot ask for a second factor";
            Self::command().error(kind, reason).exit();
        }
        options
    }

    /// Whether a directory with samples is needed.
    pub(crate) fn needs_samples(&self) -> bool {
        self.config.is_none() && self.root.is_none()
    }

    /// The configuration that the options stand for, over `samples` where no directory is named.
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

/// A configuration from a file. Directories in it are beside the file.
fn read(file: &Path) -> Result<Config, Box<dyn Error>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let config: Config = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    Ok(config.relative_to(file.parent().unwrap_or(Path::new("."))))
}
