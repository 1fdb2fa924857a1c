//! Who sits before the browser.

use super::form;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The person who answers the login page: one with a browser, or one that the server plays itself.
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
    /// Shows the login page and waits for somebody to fill it in. The default.
    pub fn browser() -> Self {
        Self {
            automatic: false,
            declines: false,
            delay: Duration::ZERO,
            picks: None,
            has_mfa: true,
        }
    }

    /// Answers at once: picks the first identity that satisfies what is asked for, and approves. `GET authorize`
    /// redirects without a page in between.
    pub fn automatic() -> Self {
        Self {
            automatic: true,
            ..Self::browser()
        }
    }

    /// Denies every request: the program is redirected to with `error=access_denied`.
    pub fn declines(mut self) -> Self {
        self.declines = true;
        self
    }

    /// Takes that long to answer, in real time. For an automatic person only.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Always picks the identity with this username or id. Where that one does not satisfy what is asked for, the
    /// login ends with `error=access_denied`.
    pub fn picks(mut self, identity: impl Into<String>) -> Self {
        self.picks = Some(identity.into());
        self
    }

    /// Has no second factor: cannot satisfy a requirement for multi-factor authentication.
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
