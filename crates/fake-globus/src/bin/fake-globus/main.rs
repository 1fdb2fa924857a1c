//! The program `fake-globus`: a fake Globus on this machine, for experiments and tests.
//!
//! ```console
//! $ rm -f globus.env
//! $ fake-globus --auto --session-minutes 5 >globus.env &
//! $ until grep -qs FAKE_GLOBUS_COLLECTION globus.env; do kill -0 $! || break; sleep 0.1; done
//! $ . ./globus.env
//! $ globus ls "$FAKE_GLOBUS_COLLECTION"
//! ```
//!
//! Standard output is shell code with variables. Messages for people go to standard error.

mod interruption;
mod options;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use fake_globus::{FakeGlobus, FakeGlobusBuilder};
use uuid::Uuid;

use interruption::interruption;
use options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::read()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("error: {error}"));
            let mut cause = error.source();
            while let Some(error) = cause {
                tell(format_args!("  because: {error}"));
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    if options.print_config {
        let config = toml::to_string_pretty(&options.config(None)?)?;
        std::io::stdout().write_all(config.as_bytes())?;
        return Ok(());
    }
    // Dropping it removes the directory.
    let samples = options.needs_samples().then(samples).transpose()?;
    let config = options.config(samples.as_ref().map(|dir| dir.path()))?;
    let collections: Vec<Uuid> = config.collection_ids().collect();
    // Handle signals before the variables are printed: their reader may send one at once.
    let interrupted = interruption()?;
    let globus = FakeGlobusBuilder::from(config).start().await?;
    print_variables(&globus, &collections)?;
    print_origins(&globus, &collections);

    interrupted.await;
    tell("Stopping.");
    globus.shutdown().await?;
    Ok(())
}

/// Prints a line for people. `eprintln` would panic if nobody reads standard error.
fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints the variables. The collection is the last one.
fn print_variables(globus: &FakeGlobus, collections: &[Uuid]) -> std::io::Result<()> {
    let own = [
        ("FAKE_GLOBUS_URL", globus.auth_url().to_owned()),
        ("GLOBUS_CLIENT_ID", globus.client_id().to_string()),
        (
            "FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID",
            globus.confidential_client_id().to_string(),
        ),
        (
            "FAKE_GLOBUS_CLIENT_SECRET",
            globus.client_secret().to_owned(),
        ),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let first = collections.first();
    let first = first.map(|id| ("FAKE_GLOBUS_COLLECTION".to_owned(), id.to_string()));
    let mut out = std::io::stdout().lock();
    for (name, value) in globus.environment().into_iter().chain(own).chain(first) {
        writeln!(out, "export {name}={}", quoted(&value))?;
    }
    out.flush()
}

/// A value for a shell: quoted if it has a character that may be special.
fn quoted(value: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@%+,=".contains(&byte);
    if value.bytes().all(is_plain) {
        return value.into();
    }
    format!("'{}'", value.replace('\'', r"'\''")).into()
}

/// Prints the services of each port, for people.
fn print_origins(globus: &FakeGlobus, collections: &[Uuid]) {
    let mut origins: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (variable, url) in globus.environment() {
        let name = variable.trim_start_matches("GLOBUS_SDK_SERVICE_URL_");
        origins.entry(url).or_default().push(name.to_lowercase());
    }
    for id in collections {
        if let Some(url) = globus.https_url(*id) {
            let server = format!("HTTPS server of the collection {id}");
            origins.entry(url).or_default().push(server);
        }
    }
    for (url, services) in origins {
        tell(format_args!("{url}  {}", services.join(", ")));
    }
    tell("Press Ctrl-C to stop.");
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
