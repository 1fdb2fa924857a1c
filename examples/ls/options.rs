//! The command line.

use std::time::Duration;

use anstream::ColorChoice;
use clap::{Parser, ValueEnum};

const AFTER_HELP: &str = "\
Examples:
  ls                                                      a demonstration: nothing to set up
  ls 6c54cade-bde5-45c1-bdea-f4bd71dba2cc /share/godata/  list a directory
  ls 6c54cade-bde5-45c1-bdea-f4bd71dba2cc:/share/godata/  the same
  ls --format json 6c54cade-bde5-45c1-bdea-f4bd71dba2cc   for other programs

Environment:
  GLOBUS_ACCESS_TOKEN              the Transfer token to begin with
  GLOBUS_CLIENT_ID                 the client to log in with: see --client-id
  GLOBUS_SDK_ENVIRONMENT           another Globus environment, such as preview
  GLOBUS_SDK_SERVICE_URL_TRANSFER  another Transfer service
  GLOBUS_SDK_SERVICE_URL_AUTH      another Globus Auth
  NO_COLOR                         no colour, whatever the terminal

Exit codes:
  0  the directory was listed
  1  something went wrong
  2  the command line was wrong
  4  a login is needed, and was declined or not possible";

/// List a directory of a Globus collection, and log in when the collection asks for it.
///
/// Without a collection it demonstrates that: it starts a small Globus of its own whose sessions last one minute, lists
/// a directory, lets two minutes pass, and lists it again.
#[derive(Debug, Parser)]
#[command(name = "ls", after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Options {
    /// The collection's id; COLLECTION:PATH does as well
    pub(crate) collection: Option<String>,

    /// The directory; by default the collection's own default
    pub(crate) path: Option<String>,

    /// Show type and permissions, size, time (UTC) and name
    #[arg(short, long)]
    pub(crate) long: bool,

    /// How to write the listing: json is the document as Transfer gave it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// The id of a client registered with Globus Auth, to log in with by a pasted code
    #[arg(
        long,
        value_name = "ID",
        env = "GLOBUS_CLIENT_ID",
        hide_env_values = true
    )]
    pub(crate) client_id: Option<String>,

    /// Do not log in: where a login is needed, say so and exit with 4
    #[arg(long)]
    pub(crate) no_login: bool,

    /// In the demonstration, have the person decline the login
    #[arg(long, conflicts_with = "collection")]
    pub(crate) decline: bool,

    /// How long to wait for an answer of the service; a login may take longer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,

    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

impl Options {
    /// An empty variable is as good as none.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| !id.is_empty())
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes the choice known to everything that writes.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::AlwaysAnsi,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}
