//! [`Person`]: the person who answers the login page.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::form;

/// The person who answers the login page: a real one in a browser, or one that the server
/// simulates.
///
/// ```
/// use fake_globus::Person;
/// use std::time::Duration;
///
/// let hesitant = Person::automatic().delay(Duration::from_secs(2)).picks("ada@uchicago.edu");
/// # let _ = hesitant;
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "form::PersonForm", into = "form::PersonForm")]
pub struct Person {
    pub(super) automatic: bool,
    pub(super) declines: bool,
    pub(super) delay: Duration,
    pub(super) picks: Option<String>,
    pub(super) has_mfa: bool,
}

impl Person {
    /// A person in a browser: the server shows the login page and waits for its form. The default.
    pub fn browser() -> Self {
        Self {
            automatic: false,
            declines: false,
            delay: Duration::ZERO,
            picks: None,
            has_mfa: true,
        }
    }

    /// A simulated person, who picks the first identity that satisfies the requirement and
    /// approves. `GET authorize` redirects at once, without a page.
    pub fn automatic() -> Self {
        Self {
            automatic: true,
            ..Self::browser()
        }
    }

    /// Makes the person deny every login: the redirect has `error=access_denied`.
    pub fn declines(mut self) -> Self {
        self.declines = true;
        self
    }

    /// Sets how long an automatic person takes to answer, in real time. Default: zero.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Makes an automatic person always pick the identity with this username or id. If it does not
    /// satisfy the requirement, the login ends with `error=access_denied`.
    pub fn picks(mut self, identity: impl Into<String>) -> Self {
        self.picks = Some(identity.into());
        self
    }

    /// Takes the second factor away: the person cannot satisfy a requirement of multi-factor
    /// authentication.
    pub fn without_mfa(mut self) -> Self {
        self.has_mfa = false;
        self
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::browser()
    }
}
