//! The command line.

use std::time::Duration;

use anstream::ColorChoice;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::help::{self, Topic};

/// Lists a directory of a Globus collection, and logs in when the collection asks for it.
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

    /// The collection's id; COLLECTION:PATH does as well
    pub(crate) collection: Option<String>,

    /// The directory, by default the collection's own; the last part may hold a *
    pub(crate) path: Option<String>,

    #[command(flatten)]
    pub(crate) what: What,

    #[command(flatten)]
    pub(crate) show: Show,

    #[command(flatten)]
    pub(crate) login: Login,

    /// In the demonstration, have the person decline the login
    #[arg(long, conflicts_with = "collection", hide_short_help = true)]
    pub(crate) decline: bool,

    /// How long to wait for an answer of the service; a login may take longer
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    /// Print help
    #[arg(long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_enum, hide_default_value = true, hide_possible_values = true, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in, if you are not logged in already, or programs of yours wait for a login
    Login {
        /// Log in anew, even if you are logged in: as somebody else, after 'logout'
        #[arg(long)]
        force: bool,
        /// Stay, and log in whenever a program of yours waits for a login
        #[arg(long, conflicts_with = "force")]
        watch: bool,
    },
    /// End the tokens that are kept, and forget them
    Logout,
    /// Tell who is logged in
    Whoami,
    /// Tell who is logged in, since when, and which programs wait for a login
    Session,
    /// Explain logins, filters or the environment
    Help { topic: Option<Topic> },
    /// Print what makes a shell complete this command
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the collections that were listed before, for completion
    #[command(hide = true)]
    Collections,
}

/// What is listed.
#[derive(Args, Debug)]
pub(crate) struct What {
    /// Show names that begin with a dot, too
    #[arg(short, long)]
    pub(crate) all: bool,

    /// List what is in the directories, too
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    /// How many directories deep to go
    #[arg(
        long,
        value_name = "LEVELS",
        default_value_t = 3,
        requires = "recursive"
    )]
    pub(crate) depth: usize,

    /// Only what matches: NAME, ~PATTERN, !NAME or !~PATTERN
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,

    /// What to sort by: name, size (the largest first), time (the newest) or type
    #[arg(long, value_enum, hide_default_value = true, hide_possible_values = true, value_name = "FIELD", default_value_t = Sort::Name)]
    pub(crate) sort: Sort,

    /// Sort by size, the largest first
    #[arg(short = 'S', conflicts_with = "sort")]
    by_size: bool,

    /// Sort by time, the newest first
    #[arg(short = 't', conflicts_with_all = ["sort", "by_size"])]
    by_time: bool,

    /// Turn the order around
    #[arg(short, long)]
    pub(crate) reverse: bool,

    /// How many entries to ask for at a time: no more than Transfer gives
    #[arg(long, hide = true, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) page_size: u64,
}

/// How it is shown.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Show type and permissions, size, time and name
    #[arg(short, long)]
    pub(crate) long: bool,

    /// One name a line, on a terminal too
    #[arg(short = '1', conflicts_with = "long")]
    pub(crate) one: bool,

    /// Show sizes in bytes
    #[arg(short, long)]
    pub(crate) bytes: bool,

    /// Show sizes as 'ls -h' does: 4.8K
    #[arg(short = 'h', long, conflicts_with = "bytes")]
    pub(crate) human_readable: bool,

    /// Show times in UTC, not in your time zone
    #[arg(long)]
    pub(crate) utc: bool,

    /// text, json (one document) or jsonl (JSON, one entry a line)
    #[arg(long, value_enum, hide_default_value = true, hide_possible_values = true, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How a login comes about.
#[derive(Args, Debug)]
pub(crate) struct Login {
    /// The client of Globus Auth to log in with
    #[arg(
        long,
        global = true,
        value_name = "ID",
        env = "GLOBUS_CLIENT_ID",
        hide_env_values = true
    )]
    client_id: Option<String>,

    /// The name under which tokens are kept
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        hide_short_help = true,
        default_value = "globus-ls"
    )]
    pub(crate) app_name: String,

    /// Do not log in: where a login is needed, say so and exit with 4
    #[arg(long, global = true)]
    pub(crate) no_login: bool,

    /// Do not open a browser: log in by a pasted code
    #[arg(long, global = true)]
    pub(crate) no_browser: bool,

    /// How long you may take to log in
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    login_timeout: u64,
}

impl Options {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

impl Login {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.login_timeout)
    }

    /// An empty variable is as good as none.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| !id.is_empty())
    }
}

impl What {
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
