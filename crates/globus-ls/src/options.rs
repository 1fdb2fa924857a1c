//! The command line.

use std::time::Duration;

use anstream::ColorChoice;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::help::{self, Topic};

/// Lists a directory of a Globus collection, and logs in when the collection requires a login.
#[derive(Debug, Parser)]
#[command(
    name = "globus-ls",
    version,
    help_template = help::TEMPLATE,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The id of the collection; COLLECTION:PATH is possible, too
    pub(crate) collection: Option<String>,

    /// The directory; by default that of the collection. The last part may contain a *
    pub(crate) path: Option<String>,

    #[command(flatten)]
    pub(crate) listing: ListArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) login: LoginArgs,

    /// Decline the login of the demonstration
    #[arg(long, conflicts_with = "collection", hide_short_help = true)]
    pub(crate) decline: bool,

    /// How long the service may send nothing; a login may take longer
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    /// Print help
    #[arg(long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Use colour: auto, always or never
    #[arg(long, global = true, value_enum, hide_default_value = true, hide_possible_values = true, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in, if you are not logged in or a program of yours waits for a login
    Login {
        /// Log in again, even if you are logged in (to change the person, log out first)
        #[arg(long)]
        force: bool,
        /// Keep running, and log in whenever a program of yours waits for a login
        #[arg(long, conflicts_with = "force")]
        watch: bool,
        /// Log in again, with what this collection is known to require
        #[arg(long, value_name = "ID", conflicts_with_all = ["force", "watch"])]
        collection: Option<String>,
    },
    /// Say whether the login is enough for a collection: for the first line of a job script
    Check {
        /// The id of the collection
        collection: String,
        /// How long the login has to last, such as 90s, 30m, 12h or 11d
        #[arg(long = "for", value_name = "TIME", default_value = "0s", value_parser = duration)]
        good_for: Duration,
    },
    /// Revoke the stored tokens, and delete them
    Logout,
    /// Print who is logged in
    Whoami,
    /// Print who is logged in, what collections require, and which programs wait for a login
    Session,
    /// Explain logins, filters or environment variables
    Help {
        /// The topic; by default the command line
        topic: Option<Topic>,
    },
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the collections that were listed before: completion scripts call this
    #[command(hide = true)]
    Collections,
}

/// Which entries are listed, and in which order.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Show names that begin with a dot, too
    #[arg(short, long)]
    pub(crate) all: bool,

    /// List the directories below, too
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    /// How many levels of directories to list below
    #[arg(
        long,
        value_name = "LEVELS",
        default_value_t = 3,
        requires = "recursive"
    )]
    pub(crate) depth: usize,

    /// Show only matching names: NAME, ~PATTERN, !NAME or !~PATTERN
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,

    /// Sort by name, size (largest first), time (newest first) or type
    #[arg(long, value_enum, hide_default_value = true, hide_possible_values = true, value_name = "FIELD", default_value_t = Sort::Name)]
    pub(crate) sort: Sort,

    /// Sort by size, largest first
    #[arg(short = 'S', conflicts_with = "sort")]
    by_size: bool,

    /// Sort by time, newest first
    #[arg(short = 't', conflicts_with_all = ["sort", "by_size"])]
    by_time: bool,

    /// Reverse the order
    #[arg(short, long)]
    pub(crate) reverse: bool,

    /// How many entries a request asks for; Transfer returns at most 100,000
    #[arg(long, hide = true, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) page_size: u64,
}

/// The form of the output.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Show type and permissions, size, time and name
    #[arg(short, long)]
    pub(crate) long: bool,

    /// Print one name a line, on a terminal too
    #[arg(short = '1', conflicts_with = "long")]
    pub(crate) one: bool,

    /// Show sizes in bytes
    #[arg(short, long)]
    pub(crate) bytes: bool,

    /// Show sizes as 'ls -h' does: 4.8K
    #[arg(short = 'h', long, conflicts_with = "bytes")]
    pub(crate) human_readable: bool,

    /// Show times in UTC instead of your time zone
    #[arg(long)]
    pub(crate) utc: bool,

    /// Print text, json (one document) or jsonl (one JSON document a line)
    #[arg(long, value_enum, hide_default_value = true, hide_possible_values = true, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Which login is used, and how a person logs in.
#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// The id of your Globus Auth client
    #[arg(
        long,
        global = true,
        value_name = "ID",
        env = "GLOBUS_CLIENT_ID",
        hide_env_values = true
    )]
    client_id: Option<String>,

    /// The name under which tokens are stored
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        hide_short_help = true,
        default_value = "globus-ls"
    )]
    pub(crate) app_name: String,

    /// Do not log in: if a login is needed, exit with 4
    #[arg(long, global = true)]
    pub(crate) no_login: bool,

    /// Do not open a browser: paste a code to log in
    #[arg(long, global = true)]
    pub(crate) no_browser: bool,

    /// How long you may take to log in
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    login_timeout: u64,
}

/// Parses a duration: a number and a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "give a number and s, m, h or d, such as 12h".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

impl Options {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

impl LoginArgs {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.login_timeout)
    }

    /// The client id. An empty environment variable counts as absent.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| !id.is_empty())
    }
}

impl ListArgs {
    pub(crate) fn sort(&self) -> Sort {
        match (self.by_size, self.by_time) {
            (true, _) => Sort::Size,
            (_, true) => Sort::Time,
            _ => self.sort,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Name,
    Size,
    Time,
    Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Jsonl,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Sets the choice for all output streams of this process.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::AlwaysAnsi,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}
