//! Globus Transfer and Globus Auth on this machine, to try things out against.
//!
//! ```console
//! $ fake-globus --auto --session-minutes 5 >globus.env &
//! $ . ./globus.env
//! $ globus ls "$FAKE_GLOBUS_COLLECTION"
//! ```
//!
//! Standard output is for a shell to evaluate; everything for people goes to standard error.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use fake_globus::{Collection, ErrorShape, FakeGlobus, Identity, Person, Policy};

/// Runs a fake Globus Transfer and Globus Auth on 127.0.0.1, and nowhere else, until it is interrupted.
///
/// It prints, for a shell to evaluate, where the services are, a client's id and secret, and the id of a collection over
/// a directory of this machine. The official Python SDK and the `globus` command line follow these variables.
#[derive(Debug, Parser)]
#[command(name = "fake-globus", version)]
#[command(group = clap::ArgGroup::new("automatic").args(["auto", "decline"]))]
struct Options {
    /// Port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Directory that the collection serves [default: a temporary one with a few files].
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Somebody who can log in. Given more than once, they are all identities of one person.
    #[arg(long = "identity", value_name = "USER@DOMAIN", default_value = "ada@uchicago.edu", value_parser = identity)]
    identities: Vec<Identity>,

    /// The collection demands a login within the last N minutes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    session_minutes: Option<u64>,

    /// The collection demands an identity of this domain. Given more than once, any of them.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,

    /// The collection demands a second factor.
    #[arg(long)]
    mfa: bool,

    /// The collection demands a policy that is satisfied by an identity of DOMAIN. May be given more than once.
    #[arg(long = "policy", value_name = "DOMAIN")]
    policies: Vec<String>,

    /// The collection has high assurance.
    #[arg(long, conflicts_with = "data_access")]
    high_assurance: bool,

    /// The collection demands consent to data access.
    #[arg(long)]
    data_access: bool,

    /// Where session errors say what they ask for.
    #[arg(long, value_enum, default_value_t = Shape::Both)]
    errors: Shape,

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

fn identity(text: &str) -> Result<Identity, String> {
    match text.split_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
            Ok(Identity::new(name, domain))
        }
        _ => Err("an identity looks like ada@uchicago.edu".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(reason) = contradiction(&options) {
        let kind = clap::error::ErrorKind::ArgumentConflict;
        Options::command().error(kind, reason).exit();
    }
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with options that are right one by one.
fn contradiction(options: &Options) -> Option<&'static str> {
    let older = matches!(options.errors, Shape::Older);
    (older && options.mfa).then_some("an older server cannot ask for a second factor")
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    // Held until the end: the directory goes with it.
    let samples = if options.root.is_none() {
        Some(samples()?)
    } else {
        None
    };
    let root = options
        .root
        .as_deref()
        .or(samples.as_ref().map(|dir| dir.path()))
        .unwrap_or(Path::new("."));
    let collection = collection(&options, root);
    let id = collection.id();

    let mut server = FakeGlobus::builder()
        .port(options.port)
        .collection(collection)
        .person(person(&options));
    let mut identities = options.identities.into_iter();
    if let Some(first) = identities.next() {
        server = server.identity(identities.fold(first, Identity::linked));
    }
    // Asked for before the variables are printed: whoever waits for those may interrupt at once.
    let interrupted = interruption()?;
    let globus = server.start().await?;

    let mut out = std::io::stdout().lock();
    let own = [
        ("GLOBUS_CLIENT_ID", globus.client_id().to_string()),
        (
            "FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID",
            globus.confidential_client_id().to_string(),
        ),
        (
            "FAKE_GLOBUS_CLIENT_SECRET",
            globus.client_secret().to_owned(),
        ),
        ("FAKE_GLOBUS_COLLECTION", id.to_string()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    for (name, value) in globus.environment().into_iter().chain(own) {
        writeln!(out, "export {name}={value}")?;
    }
    out.flush()?;
    drop(out);
    eprintln!(
        "Serving {} as collection {id} at {}",
        root.display(),
        globus.transfer_url()
    );
    eprintln!("Stop it with Ctrl-C.");

    interrupted.await;
    eprintln!("Stopping.");
    globus.shutdown().await?;
    Ok(())
}

fn collection(options: &Options, root: &Path) -> Collection {
    let mut collection = Collection::new("Fake collection", root).errors(match options.errors {
        Shape::Both => ErrorShape::RootAndEmbedded,
        Shape::Embedded => ErrorShape::Embedded,
        Shape::Older => ErrorShape::Detail,
    });
    if let Some(minutes) = options.session_minutes {
        collection = collection.session_minutes(minutes);
    }
    if options.mfa {
        collection = collection.mfa();
    }
    if options.high_assurance {
        collection = collection.high_assurance();
    }
    if options.data_access {
        collection = collection.data_access();
    }
    collection = options.domains.iter().fold(collection, Collection::domain);
    let policy = |domain: &String| Policy::new(format!("Members of {domain}")).domain(domain);
    options
        .policies
        .iter()
        .map(policy)
        .fold(collection, Collection::policy)
}

fn person(options: &Options) -> Person {
    let delay = Duration::from_millis(options.delay_ms.unwrap_or_default());
    match (options.decline, options.auto) {
        (true, _) => Person::automatic().declines().delay(delay),
        (false, true) => Person::automatic().delay(delay),
        (false, false) => Person::browser(),
    }
}

fn samples() -> std::io::Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("fake-globus-").tempdir()?;
    std::fs::write(dir.path().join("README.txt"), "Files to list.\n")?;
    std::fs::write(
        dir.path().join("measurements.csv"),
        "time,value\n0,1\n1,4\n2,9\n",
    )?;
    std::fs::create_dir(dir.path().join("simulations"))?;
    std::fs::write(dir.path().join("simulations/run-001.log"), "converged\n")?;
    Ok(dir)
}

/// Listens from now on, and resolves when the program is asked to end.
#[cfg(unix)]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
