use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Lengths;
use super::budget::Limit;
use super::rules::{Approve, Observer, PrincipalBy, Rule};
use super::{Challenge, Event, Reauthenticator, RequestHead, Session, Trust};
use crate::gare::Gare;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) trust: Trust,
    pub(super) max_logins: u32,
    pub(super) max_replays: u32,
    pub(super) login_timeout: Duration,
    pub(super) backoff: Lengths,
    pub(super) login_budget: Limit,
    pub(super) refresh_window: Duration,
    pub(super) refresh_timeout: Duration,
    pub(super) max_principals: usize,
    pub(super) max_principals_in_use: usize,
    pub(super) principal_idle: Duration,
    pub(super) max_origins: usize,
    pub(super) login_if_not_replayable: bool,
    pub(super) login_on_401: bool,
    pub(super) one_person: bool,
    pub(super) supersede_presented: bool,
    pub(super) principal_by: Option<PrincipalBy>,
    pub(super) approve: Option<Approve>,
    pub(super) on_event: Option<Observer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust: Trust::globus(),
            max_logins: 5,
            max_replays: 10,
            login_timeout: Duration::from_secs(15 * 60),
            backoff: Lengths {
                first: Duration::from_secs(30),
                longest: Duration::from_secs(15 * 60),
            },
            login_budget: Limit {
                logins: 10,
                within: Duration::from_secs(10 * 60),
            },
            refresh_window: Duration::from_secs(5 * 60),
            refresh_timeout: Duration::from_secs(10),
            max_principals: 1024,
            max_principals_in_use: 16 * 1024,
            principal_idle: Duration::from_secs(24 * 60 * 60),
            max_origins: 64,
            login_if_not_replayable: true,
            login_on_401: true,
            one_person: false,
            supersede_presented: true,
            principal_by: None,
            approve: None,
            on_event: None,
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

    /// How many logins one request may wait for. Default: 5. A service may require consent, then a
    /// policy, then MFA.
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

    /// How long nobody is asked again after a login that failed, or that succeeded and did not
    /// satisfy its requirement: at first, and at most. It doubles each time. Default: 30 seconds and
    /// 15 minutes.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.backoff = Lengths { first, longest };
        self
    }

    /// How many logins of one principal may succeed within this time, while no request that waited
    /// for them is accepted. Default: 10 in 10 minutes.
    pub fn login_budget(mut self, logins: u32, within: Duration) -> Self {
        self.settings.login_budget = Limit { logins, within };
        self
    }

    /// How long before the end of its lifetime a credential is refreshed in the background; at most
    /// half of its lifetime. Default: 5 minutes.
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.settings.refresh_window = window;
        self
    }

    /// How long requests wait for a look-up or a refresh, counted from its beginning. It goes on
    /// without them. Default: 10 seconds.
    pub fn refresh_timeout(mut self, timeout: Duration) -> Self {
        self.settings.refresh_timeout = timeout;
        self
    }

    /// How many idle principals the session remembers beside its own. Default: 1024. Principals with
    /// requests under way do not count. Beyond the bound, the principal that was idle longest is
    /// forgotten, and logs in again when it is next challenged.
    pub fn max_principals(mut self, principals: usize) -> Self {
        self.settings.max_principals = principals;
        self
    }

    /// How many principals may have requests or logins under way at a time. Default: 16,384. Beyond
    /// the bound, a request of another principal is sent as it came.
    pub fn max_principals_in_use(mut self, principals: usize) -> Self {
        self.settings.max_principals_in_use = principals;
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
    /// Default: `true`.
    pub fn login_if_not_replayable(mut self, login: bool) -> Self {
        self.settings.login_if_not_replayable = login;
        self
    }

    /// Whether a `401` that requires nothing starts a login, where a look-up finds no credential that
    /// the service accepts. Default: `true`.
    pub fn login_on_401(mut self, login: bool) -> Self {
        self.settings.login_on_401 = login;
        self
    }

    /// Whether a bearer token that a request presents is replaced by one that a login for it brought.
    /// Default: `true`.
    ///
    /// Whoever presents a token of a user is then sent with the newest token of that user, which may be
    /// good for more. A service that passes on the tokens of its callers sets this to `false`: a
    /// presented token goes out as it came, and a challenge to it gives up with
    /// [`GaveUp::Presented`](super::GaveUp::Presented). Principals that the program
    /// [names](super::GareOptions::principal) are not affected.
    pub fn supersede_presented(mut self, supersede: bool) -> Self {
        self.settings.supersede_presented = supersede;
        self
    }

    /// Says that all requests are of one person: a bearer token that a request presents is the
    /// session's own credential for that origin. A token that was not seen there before is the
    /// newest one; any other is replaced with the newest one.
    ///
    /// For a program of one user whose client sets the token itself.
    pub fn one_person(mut self) -> Self {
        self.settings.one_person = true;
        self
    }

    /// Names the principal of each request that has no [`GareOptions::principal`]. `None` leaves it to
    /// the request's `Authorization`.
    ///
    /// [`GareOptions::principal`]: super::GareOptions::principal
    pub fn principal_by(
        mut self,
        by: impl Fn(RequestHead<'_>) -> Option<Arc<str>> + Send + Sync + 'static,
    ) -> Self {
        self.settings.principal_by = Some(Rule(Arc::new(by)));
        self
    }

    /// Decides what a person may be asked for, once for each request and requirement. It returns the
    /// requirement that a login is to satisfy, perhaps with less in it, or `None`: then nobody is
    /// asked, and the request ends with [`GaveUp::NotApproved`](super::GaveUp::NotApproved).
    pub fn approve(
        mut self,
        approve: impl Fn(&Challenge) -> Option<Gare> + Send + Sync + 'static,
    ) -> Self {
        self.settings.approve = Some(Rule(Arc::new(approve)));
        self
    }

    /// Sees what the session does, as the events of `tracing` tell it. It is called where the event
    /// happens, so it must not wait.
    pub fn on_event(mut self, observer: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.on_event = Some(Rule(Arc::new(observer)));
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
