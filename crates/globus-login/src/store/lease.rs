//! Leases and notices: who works for a user now, and who waits for a login.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use oauth2::CsrfToken;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::record::{as_scopes, as_seconds, whole_seconds};
use crate::prompt::shown;
use crate::scope::Scopes;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::printable;

/// Work that only one program should do at a time for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// A login. A person may take minutes.
    Login,
    /// The exchange of a refresh token: some seconds.
    Refresh,
}

impl Work {
    /// A name for files, rows and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
        }
    }
}

/// The program that does some work: it is shown to people, and told from others by its id.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Holder {
    id: String,
    host: String,
    program: String,
    process: u32,
    #[serde(with = "as_seconds")]
    since: SystemTime,
}

impl Holder {
    /// This process, as `program`, from `since` on. No two are the same.
    pub fn new(program: impl Into<String>, since: SystemTime) -> Self {
        Self {
            id: nonce(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            program: program.into(),
            process: std::process::id(),
            since: whole_seconds(since),
        }
    }

    /// Tells it from all others.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name of the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// When it began.
    pub fn since(&self) -> SystemTime {
        self.since
    }

    pub(crate) fn is_of_this_machine(&self) -> bool {
        gethostname::gethostname() == *self.host
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.program, self.host)
    }
}

/// The answer to [`LoginStore::lease`](super::LoginStore::lease).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leased {
    /// The lease is the caller's.
    Held,
    /// Somebody else does the work.
    Busy {
        /// The program that does it.
        holder: Holder,
        /// How long the lease lasts, if the holder does not extend it.
        remaining: Duration,
    },
}

/// A program that waits for a login that somebody else can do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Waiting {
    /// The program that waits.
    pub by: Holder,
    /// The requirement of the login.
    pub required: AuthorizationParameters,
    /// The scopes that the login asks for.
    #[serde(with = "as_scopes")]
    pub scopes: Scopes,
    /// The requirement [in plain words](globus_gare::reauth::Challenge::in_plain_words); `None` where no
    /// service required it.
    #[serde(default)]
    pub words: Option<String>,
    /// Whether one of those who wait for the same has told somebody.
    #[serde(default)]
    pub is_told: bool,
}

impl Waiting {
    /// Whether one login will do for both.
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        self.required == other.required && self.scopes == other.scopes
    }

    /// Says what is waited for, in one line for a person: `jobs` is how many programs wait for the same.
    /// What a service wrote is in it, without control characters.
    pub fn in_plain_words(&self, jobs: usize) -> String {
        let (program, host) = (printable(self.by.program()), printable(self.by.host()));
        let since = shown(self.by.since());
        let who = match jobs {
            0 | 1 => format!("{program} on {host} waits"),
            jobs => format!("{jobs} programs wait, {program} on {host} first,"),
        };
        let words = self.words.as_deref().map(printable);
        let words = words.unwrap_or_else(|| "It needs a login.".to_owned());
        format!("{who} for a login{since}: {words}")
    }
}

/// A lease or a notice as it is kept where no two machines have the same clock: whoever reads the
/// same `beat` for `ttl` knows that nobody extends it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Claim<T> {
    pub(crate) by: T,
    ttl_ms: u64,
    beat: String,
}

impl<T> Claim<T> {
    pub(crate) fn new(by: T, ttl: Duration) -> Self {
        Self {
            by,
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            beat: nonce(),
        }
    }
}

/// When this process has first read each claim.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<HashMap<String, (String, Instant)>>);

impl Observed {
    /// How long the claim that stands at `place` lasts.
    pub(crate) fn remaining<T>(&self, place: &str, claim: &Claim<T>) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let first = match seen.get(place) {
            Some((beat, first)) if *beat == claim.beat => *first,
            _ => {
                seen.insert(place.to_owned(), (claim.beat.clone(), now));
                now
            }
        };
        Duration::from_millis(claim.ttl_ms).saturating_sub(now - first)
    }

    pub(crate) fn forget(&self, place: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(place);
    }
}

/// A text that nobody else has.
fn nonce() -> String {
    CsrfToken::new_random().into_secret()
}
