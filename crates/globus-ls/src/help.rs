//! The texts of `--help` and `globus-ls help`.

use clap::ValueEnum;

/// The layout of `--help`: two screens, with the examples first.
pub(crate) const TEMPLATE: &str = "\
{about}

Examples:
  globus-ls                          run a demonstration: nothing to set up
  globus-ls ID /share/godata/        list a directory; ID:/share/godata/ is the same
  globus-ls 'ID:/data/*.csv'         list matching names; the quotes keep the * from the shell
  globus-ls -R --format jsonl ID     list the directories below, too, for another program

{usage-heading} {usage}

{all-args}

Exit codes: 0 listed, 1 failed, 2 wrong command line, 4 login needed, 5 unknown, 130 interrupted
'globus-ls help login', 'help filters' and 'help environment' explain more.
";

/// A topic of `globus-ls help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    Login,
    Filters,
    Environment,
}

impl Topic {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Login => LOGIN,
            Self::Filters => FILTERS,
            Self::Environment => ENVIRONMENT,
        }
    }
}

const LOGIN: &str = "\
Logging in:
  To log in, you need a client id. Register a thick client at
  https://app.globus.org/settings/developers, and give its id as --client-id or GLOBUS_CLIENT_ID.
  When a login is needed, your browser opens. Over SSH, or without a display, you paste a code
  instead. The program stores the tokens, and refreshes them, until 'globus-ls logout'.
  'globus-ls session' prints who is logged in, and since when.

  A collection may require a recent login, or a login with a certain identity. The listing waits for
  that login, and continues after it. With --no-login, the listing fails with exit code 4 instead.

  A job cannot log in. Before a job starts, 'globus-ls check ID --for 12h' says whether the login is
  enough for it: no consent is missing, and the session does not end before that time. A collection
  does not publish how long its sessions last. The program learns the time when the collection asks
  for a new login. Until then 'check' prints 'unknown'; later, a session may still end earlier than
  expected. 'globus-ls login --collection ID' logs in with what the collection requires.
  'globus-ls session' prints what is known.

  --app-name NAME          the name under which tokens are stored, globus-ls by default
  --login-timeout SECONDS  how long you may take to log in, 600 by default
  --timeout SECONDS        how long the service may send nothing, 60 by default

Files:
  ~/.globus/app/CLIENT_ID/APP_NAME/tokens.json
      The tokens. Only you can read this file. Its format is that of the Globus SDK for Python: a
      Python program with the same client id and app name shares the login. The SDK's SQLite files
      and the storage of the Globus CLI (~/.globus/cli/storage.db) are not read.
  ~/.local/state/globus-ls/collections (or below XDG_STATE_HOME)
      The collections that you listed before, for shell completion. You may delete this file.

Exit codes:
  0    everything was listed
  1    something failed, or a part could not be listed
  2    the command line is wrong
  4    a login is needed, and was declined or not possible; or 'check' says that one is needed
  5    'check' does not know whether the login is enough
  130  interrupted by Ctrl-C
";

const FILTERS: &str = "\
Filters (--filter) have the syntax of the Transfer service:
  =NAME or NAME   exactly this name
  ~PATTERN        names that match; * stands for any text; upper and lower case are the same
  !NAME           all other names
  !~PATTERN       names that do not match
A comma separates alternatives: 'a.csv,~b*' shows a.csv, and all names that begin with b.

With -R, directories are listed even if their own names do not match, down to --depth.
";

const ENVIRONMENT: &str = "\
Environment variables:
  GLOBUS_CLIENT_ID                 the id of your Globus Auth client, as --client-id
  GLOBUS_ACCESS_TOKEN              a Transfer token to use instead of the stored tokens
  BROWSER                          the browser to open, over SSH, too
  TZ                               the time zone of the times
  LS_COLORS                        the colours, as for ls
  NO_COLOR                         use no colour
  COLUMNS                          the width, if the terminal does not report its own
  GLOBUS_SDK_ENVIRONMENT           another Globus environment, such as preview
  GLOBUS_SDK_SERVICE_URL_TRANSFER  another Transfer service
  GLOBUS_SDK_SERVICE_URL_AUTH      another Globus Auth
";
