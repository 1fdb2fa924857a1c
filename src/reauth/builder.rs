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

/// Configures a [`Session`]. Made by [`Session::builder`].
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

    /// Builds the session.
    pub fn build(self) -> Session {
        Session::with_settings(self.reauthenticator, self.settings)
    }

    /// The origins that get credentials and can trigger a login. Default: [`Trust::globus`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.settings.trust = trust;
        self
    }

    /// How many logins one request may wait for. Default: 3, because a service may require consent,
    /// then a policy, then MFA.
    pub fn max_logins(mut self, logins: u32) -> Self {
        self.settings.max_logins = logins;
        self
    }

    /// How often one request may be replayed. Default: 10. A request may be replayed more often than
    /// it waits for logins: logins of other requests bring newer credentials too.
    pub fn max_replays(mut self, replays: u32) -> Self {
        self.settings.max_replays = replays;
        self
    }

    /// How long a login may take before it is dropped. Default: 15 minutes.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.settings.login_timeout = timeout;
        self
    }

    /// How long to wait before asking a person again after a login that failed or did not satisfy
    /// its requirement, and before looking again for a credential that was not found. Default: 30
    /// seconds.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long before the end of its lifetime a credential counts as expired. Default: 60 seconds.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.settings.expiry_leeway = leeway;
        self
    }

    /// How many idle principals the session remembers beside its own. Default: 1024. Principals with
    /// requests under way do not count. Beyond the bound, the principal that was idle longest is
    /// forgotten, and logs in again when it is next challenged.
    pub fn max_principals(mut self, principals: usize) -> Self {
        self.settings.max_principals = principals;
        self
    }

    /// How long a principal may be idle before it is forgotten. Default: 24 hours.
    pub fn principal_idle(mut self, idle: Duration) -> Self {
        self.settings.principal_idle = idle;
        self
    }

    /// For how many origins the session keeps a credential of one principal. Default: 64.
    pub fn max_origins(mut self, origins: usize) -> Self {
        self.settings.max_origins = origins;
        self
    }

    /// Whether a login runs for a request that cannot be replayed, so that the next request succeeds.
    /// Default: `false`.
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
