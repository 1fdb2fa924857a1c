use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Reauthenticator, Session, Trust};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) trust: Trust,
    pub(super) max_logins: u32,
    pub(super) max_replays: u32,
    pub(super) flight_timeout: Duration,
    pub(super) cool_down: Duration,
    pub(super) expiry_leeway: Duration,
    pub(super) max_identities: usize,
    pub(super) identity_idle: Duration,
    pub(super) max_origins: usize,
    pub(super) login_for_unreplayable: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust: Trust::globus(),
            max_logins: 3,
            max_replays: 10,
            flight_timeout: Duration::from_secs(15 * 60),
            cool_down: Duration::from_secs(30),
            expiry_leeway: Duration::from_secs(60),
            max_identities: 1024,
            identity_idle: Duration::from_secs(24 * 60 * 60),
            max_origins: 64,
            login_for_unreplayable: false,
        }
    }
}

/// Configures a [`Session`]: what [`Session::builder`] returns.
#[must_use = "a builder does nothing until `build` is called"]
pub struct SessionBuilder {
    reauthenticator: Arc<dyn Reauthenticator>,
    settings: Settings,
}

impl SessionBuilder {
    pub(super) fn new(reauthenticator: Arc<dyn Reauthenticator>) -> Self {
        Self {
            reauthenticator,
            settings: Settings::default(),
        }
    }

    /// The session.
    pub fn build(self) -> Session {
        Session::with_settings(self.reauthenticator, self.settings)
    }

    /// The origins that are listened to and given a credential; by default [`Trust::globus`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.settings.trust = trust;
        self
    }

    /// How many logins one request may wait for; 3 by default, since consent,
    /// then policy, then MFA may come one after another.
    pub fn max_logins(mut self, logins: u32) -> Self {
        self.settings.max_logins = logins;
        self
    }

    /// How often one request may be sent again; 10 by default. There are more
    /// replays than logins where others' logins get in between.
    pub fn max_replays(mut self, replays: u32) -> Self {
        self.settings.max_replays = replays;
        self
    }

    /// How long a login may take before it is dropped; 15 minutes by default.
    pub fn flight_timeout(mut self, timeout: Duration) -> Self {
        self.settings.flight_timeout = timeout;
        self
    }

    /// For how long after a login that failed or did not help nobody is asked
    /// again; 30 seconds by default.
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.settings.cool_down = cool_down;
        self
    }

    /// How long before its end a credential counts as run out; 60 seconds by default.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.settings.expiry_leeway = leeway;
        self
    }

    /// How many identities beside the session's own are remembered; 1024 by
    /// default. Beyond that the one that was idle longest is forgotten: it has to
    /// log in again when it is next challenged.
    pub fn max_identities(mut self, identities: usize) -> Self {
        self.settings.max_identities = identities;
        self
    }

    /// After how long without a request an identity is forgotten; 24 hours by default.
    pub fn identity_idle(mut self, idle: Duration) -> Self {
        self.settings.identity_idle = idle;
        self
    }

    /// For how many services the credentials of one identity are kept; 64 by default.
    pub fn max_origins(mut self, origins: usize) -> Self {
        self.settings.max_origins = origins;
        self
    }

    /// Whether a request that cannot be sent again still has its requirement
    /// satisfied, for the next one's sake; no by default.
    pub fn login_for_unreplayable(mut self, login: bool) -> Self {
        self.settings.login_for_unreplayable = login;
        self
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
