use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Reauthenticator, Session, Trust};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) trust: Trust,
    pub(super) max_logins: u32,
    pub(super) max_replays: u32,
    pub(super) login_timeout: Duration,
    pub(super) backoff: Duration,
    pub(super) expiry_leeway: Duration,
    pub(super) max_principals: usize,
    pub(super) principal_idle: Duration,
    pub(super) max_origins: usize,
    pub(super) login_if_not_replayable: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust: Trust::globus(),
            max_logins: 3,
            max_replays: 10,
            login_timeout: Duration::from_secs(15 * 60),
            backoff: Duration::from_secs(30),
            expiry_leeway: Duration::from_secs(60),
            max_principals: 1024,
            principal_idle: Duration::from_secs(24 * 60 * 60),
            max_origins: 64,
            login_if_not_replayable: false,
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
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.settings.login_timeout = timeout;
        self
    }

    /// For how long after a login that failed or did not help nobody is asked
    /// again; 30 seconds by default.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long before its end a credential counts as run out; 60 seconds by default.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.settings.expiry_leeway = leeway;
        self
    }

    /// How many principals beside the session's own are remembered; 1024 by
    /// default. Beyond that the one that was idle longest is forgotten: it has to
    /// log in again when it is next challenged.
    pub fn max_principals(mut self, principals: usize) -> Self {
        self.settings.max_principals = principals;
        self
    }

    /// After how long without a request a principal is forgotten; 24 hours by default.
    pub fn principal_idle(mut self, idle: Duration) -> Self {
        self.settings.principal_idle = idle;
        self
    }

    /// For how many services the credentials of one principal are kept; 64 by default.
    pub fn max_origins(mut self, origins: usize) -> Self {
        self.settings.max_origins = origins;
        self
    }

    /// Whether a request that cannot be sent again still has its requirement
    /// satisfied, for the next one's sake; no by default.
    pub fn login_if_not_replayable(mut self, login: bool) -> Self {
        self.settings.login_if_not_replayable = login;
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
