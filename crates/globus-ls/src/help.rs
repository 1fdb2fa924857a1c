//! The texts of `--help`, and of `globus-ls help`.

use clap::ValueEnum;

/// `--help`: two screens, the examples first.
pub(crate) const TEMPLATE: &str = "\
{about}

Examples:
  globus-ls                          a demonstration: nothing to set up
  globus-ls ID /share/godata/        list a directory; ID:/share/godata/ is the same
  globus-ls 'ID:/data/*.csv'         what matches; quoted, or the shell looks for it
  globus-ls -R --format jsonl ID     all that is below, for other programs

{usage-heading} {usage}

{all-args}

Exit codes: 0 listed, 1 failed, 2 wrong command line, 4 login needed, 5 not known, 130 interrupted
'globus-ls help login', 'help filters' and 'help environment' tell the rest.
";

/// What `globus-ls help` explains.
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
  A client id is needed: register a thick client at https://app.globus.org/settings/developers, and
  give its id as --client-id or GLOBUS_CLIENT_ID. The browser opens when a login is needed; over SSH,
  or without a display, a code is pasted instead. Tokens are kept, and refreshed, until
  'globus-ls logout'. 'globus-ls session' tells who is logged in, and since when.

  A collection may ask for a login that is recent, or by a certain identity. The listing waits for
  that login, and goes on. With --no-login it fails with 4 instead.

  A job cannot log in. 'globus-ls check ID --for 12h' tells before it starts whether the login will
  do: for the consent of a collection, and for a session that ends. How long a collection's sessions
  last is learned from its refusals: until it has refused a login there is no answer, and a time that
  was learned can turn out shorter. 'globus-ls login --collection ID' logs in as it requires, and
  'globus-ls session' shows what is known.

  --app-name NAME          the name under which tokens are kept, globus-ls by default
  --login-timeout SECONDS  how long you may take to log in, 600 by default
  --timeout SECONDS        how long to wait for an answer of a service, 60 by default

Files:
  ~/.globus/app/CLIENT_ID/APP_NAME/tokens.json
      The tokens, readable by you alone, in the format of the Globus SDK for Python: a program there
      with the same client id and app name shares the login. Its SQLite files, and the storage of the
      Globus CLI (~/.globus/cli/storage.db), are not read.
  ~/.local/state/globus-ls/collections (or below XDG_STATE_HOME)
      The collections that were listed before, for completion. Remove it as you like.

Exit codes:
  0    everything was listed
  1    something went wrong, or a part could not be listed
  2    the command line was wrong
  4    a login is needed, and was declined or not possible; or 'check' found that it will be needed
  5    'check' does not know, and nobody can
  130  you interrupted it
";

const FILTERS: &str = "\
Filters (--filter) are those of the Transfer service:
  =NAME or NAME   this very name
  ~PATTERN        names that match; * stands for any text; upper and lower case are the same
  !NAME           any other name
  !~PATTERN       names that do not match

With -R all directories are entered, and those that match are shown.
";

const ENVIRONMENT: &str = "\
Environment:
  GLOBUS_CLIENT_ID                 the client to log in with: see --client-id
  GLOBUS_ACCESS_TOKEN              a Transfer token to use instead of those that are kept
  BROWSER                          the browser to open; it is opened over SSH, too
  TZ                               the time zone that times are shown in
  LS_COLORS                        the colours, as for ls
  NO_COLOR                         no colour, whatever the terminal
  COLUMNS                          the width of a terminal that does not tell it
  GLOBUS_SDK_ENVIRONMENT           another Globus environment, such as preview
  GLOBUS_SDK_SERVICE_URL_TRANSFER  another Transfer service
  GLOBUS_SDK_SERVICE_URL_AUTH      another Globus Auth
";
