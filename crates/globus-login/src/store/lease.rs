//! Leases and notices: which program works for a user now, and which programs wait for a login.

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

/// Work for a user that only one program should do at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// A login. It may take minutes.
    Login,
    /// A refresh of a token. It takes seconds.
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

/// The program that holds a lease, posts a notice, or made a login. Each one has its own id.
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
    /// Makes a holder for this process and machine, with the name `program` and a new id: two
    /// holders of one process are not equal. `since` is when the work began, in whole seconds.
    pub fn new(program: impl Into<String>, since: SystemTime) -> Self {
        Self {
            id: nonce(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            program: program.into(),
            process: std::process::id(),
            since: whole_seconds(since),
        }
    }

    /// The unique id.
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

    /// When the work, or the wait, began.
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

/// The result of [`LoginStore::lease`](super::LoginStore::lease).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leased {
    /// The caller has the lease.
    Held,
    /// Another program does the work.
    Busy {
        /// The program that has the lease.
        holder: Holder,
        /// The time until the lease expires, if the holder does not extend it.
        remaining: Duration,
    },
}

/// A notice: a program waits for a login that a person makes with another program.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Waiting {
    /// The program that waits.
    pub by: Holder,
    /// The requirement of the login.
    pub required: AuthorizationParameters,
    /// The scopes that the login asks for.
    #[serde(with = "as_scopes")]
    pub scopes: Scopes,
    /// The challenge [in plain words](globus_gare::reauth::Challenge::in_plain_words). `None` if
    /// the program itself wants the login.
    #[serde(default)]
    pub words: Option<String>,
    /// Whether one of the programs that wait for the same login has told a person.
    #[serde(default)]
    pub is_told: bool,
}

impl Waiting {
    /// Whether one login satisfies both notices.
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        self.required == other.required && self.scopes == other.scopes
    }

    /// The notice in one line for a person. `jobs` is the number of programs that wait for the same
    /// login. The line may hold text of a service, without control characters.
    pub fn in_plain_words(&self, jobs: usize) -> String {
        let (program, host) = (printable(self.by.program()), printable(self.by.host()));
        let since = shown(self.by.since());
        let who = match jobs {
            0 | 1 => format!("{program} on {host} waits"),
            jobs => format!("{jobs} programs wait, {program} on {host} first,"),
        };
        let words = self.words.as_deref().map(printable);
        let words = words.unwrap_or_else(|| "The program needs a login.".to_owned());
        format!("{who} for a login{since}: {words}")
    }
}

/// A lease or a notice on a disk, for machines without a common clock: a reader that sees the same
/// `beat` for `ttl` knows that nobody extends the claim.
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

/// With this number of claims in memory, expired ones are dropped.
const MANY_CLAIMS: usize = 1024;

/// When this process first read each claim.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<HashMap<String, Seen>>);

#[derive(Debug)]
struct Seen {
    beat: String,
    first: Instant,
    ttl: Duration,
}

impl Observed {
    /// How long the claim at `place` lasts.
    pub(crate) fn remaining<T>(&self, place: &str, claim: &Claim<T>) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let ttl = Duration::from_millis(claim.ttl_ms);
        let first = match seen.get(place) {
            Some(seen) if seen.beat == claim.beat => seen.first,
            _ => {
                if seen.len() >= MANY_CLAIMS {
                    seen.retain(|_, seen| now - seen.first < seen.ttl);
                }
                let (beat, first) = (claim.beat.clone(), now);
                seen.insert(place.to_owned(), Seen { beat, first, ttl });
                now
            }
        };
        ttl.saturating_sub(now - first)
    }

    pub(crate) fn forget(&self, place: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(place);
    }
}

/// A random text that no other program has.
fn nonce() -> String {
    CsrfToken::new_random().into_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test(start_paused = true)]
    async fn expired_claims_are_dropped_from_memory() {
        let (observed, second) = (Observed::default(), Duration::from_secs(1));
        for number in 0..5000 {
            let claim = Claim::new(number, second);
            let remaining = observed.remaining(&number.to_string(), &claim);
            assert_eq!(remaining, second);
            tokio::time::advance(Duration::from_millis(2)).await;
        }
        let seen = observed.0.lock().expect("whole").len();
        assert!(seen <= 1025, "{seen}");
    }
}
