use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Lengths;
use super::budget::Limit;
use super::rules::{Approve, Observer, PrincipalBy, Rule};
use super::{Challenge, Event, Reauthenticator, RequestHead, Session, Trust};
use crate::gare::Gare;

#[derive(Debug)]
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

    /// How often one request may be replayed. Default: 10. A request may be replayed more often
    /// than it waits for logins: logins of other requests bring newer credentials too.
    pub fn max_replays(mut self, replays: u32) -> Self {
        self.settings.max_replays = replays;
        self
    }

    /// How long a login may take before it is dropped. Default: 15 minutes.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.settings.login_timeout = timeout;
        self
    }

    /// How long to wait before another login, after one that failed or did not satisfy its
    /// requirement. Doubles each time, from `first` to `longest`. Default: 30 seconds and 15
    /// minutes.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.backoff = Lengths { first, longest };
        self
    }

    /// How many logins of one principal may succeed within this time while no request that waited
    /// for them is accepted. Default: 10 in 10 minutes.
    pub fn login_budget(mut self, logins: u32, within: Duration) -> Self {
        self.settings.login_budget = Limit { logins, within };
        self
    }

    /// How long before its end a credential is refreshed in the background, but at most half of its
    /// lifetime. Default: 5 minutes.
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.settings.refresh_window = window;
        self
    }

    /// How long requests wait for a look-up or a refresh, counted from its beginning. The look-up
    /// continues after that. Default: 10 seconds.
    pub fn refresh_timeout(mut self, timeout: Duration) -> Self {
        self.settings.refresh_timeout = timeout;
        self
    }

    /// How many idle principals the session remembers beside its own. Default: 1,024; the value 0
    /// counts as 1. Principals with requests or logins under way do not count. Beyond the bound,
    /// the principal that was idle longest is forgotten: its next challenge starts a login.
    pub fn max_principals(mut self, principals: usize) -> Self {
        self.settings.max_principals = principals;
        self
    }

    /// How many principals may have requests or logins under way at a time. Default: 16,384; 0
    /// counts as 1. Beyond the bound, a request of another principal is sent unchanged, and a
    /// challenge to it gives up with
    /// [`GaveUp::TooManyPrincipals`](super::GaveUp::TooManyPrincipals).
    pub fn max_principals_in_use(mut self, principals: usize) -> Self {
        self.settings.max_principals_in_use = principals;
        self
    }

    /// How long a principal may be idle before it is forgotten. Default: 24 hours. The session
    /// forgets idle principals when a request or a login of a principal beside its own ends.
    pub fn principal_idle(mut self, idle: Duration) -> Self {
        self.settings.principal_idle = idle;
        self
    }

    /// For how many origins the session keeps a credential of one principal. Default: 64; 0 counts
    /// as 1. Beyond the bound, the oldest credential is dropped.
    pub fn max_origins(mut self, origins: usize) -> Self {
        self.settings.max_origins = origins;
        self
    }

    /// Whether a login runs for a request that cannot be replayed, so that the next request
    /// succeeds. Default: `true`.
    pub fn login_if_not_replayable(mut self, login: bool) -> Self {
        self.settings.login_if_not_replayable = login;
        self
    }

    /// Whether a plain `401`, without a GARE, starts a login if a look-up finds no credential that
    /// the service accepts. Default: `true`.
    pub fn login_on_401(mut self, login: bool) -> Self {
        self.settings.login_on_401 = login;
        self
    }

    /// Whether the token that a login brought replaces the bearer token that a request presents.
    /// Default: `true`.
    ///
    /// If `true`, a request that presents an old token of a user is sent with the user's newest
    /// token, which may be good for more. A service that passes on the tokens of its callers sets
    /// this to `false`: a presented token is sent unchanged, and a challenge to it gives up with
    /// [`GaveUp::Presented`](super::GaveUp::Presented). Principals that the program
    /// [names](super::GareOptions::principal) are not affected.
    pub fn supersede_presented(mut self, supersede: bool) -> Self {
        self.settings.supersede_presented = supersede;
        self
    }

    /// Declares that all requests belong to one person. For a program of one user whose client sets
    /// the token itself.
    ///
    /// A bearer token that a request presents is then the session's own credential for that origin.
    /// A token that was not seen there before becomes the newest. A token that was seen is replaced
    /// by the newest.
    pub fn one_person(mut self) -> Self {
        self.settings.one_person = true;
        self
    }

    /// Names the principal of each request without a [`GareOptions::principal`]. If `by` returns
    /// `None`, the request's `Authorization` decides. By default it always does.
    ///
    /// [`GareOptions::principal`]: super::GareOptions::principal
    pub fn principal_by(
        mut self,
        by: impl Fn(RequestHead<'_>) -> Option<Arc<str>> + Send + Sync + 'static,
    ) -> Self {
        self.settings.principal_by = Some(Rule(Box::new(by)));
        self
    }

    /// Decides which requirements may start a login. Called once for each request and requirement.
    /// By default all may. `approve` is called in the middle of a request, so it must not block.
    ///
    /// `approve` returns the requirement for the login, which may have fewer conditions. If it
    /// returns `None`, no login starts, and the request ends with
    /// [`GaveUp::NotApproved`](super::GaveUp::NotApproved).
    pub fn approve(
        mut self,
        approve: impl Fn(&Challenge) -> Option<Gare> + Send + Sync + 'static,
    ) -> Self {
        self.settings.approve = Some(Rule(Box::new(approve)));
        self
    }

    /// Observes the session: `observer` is called with each [`Event`], which are also the events of
    /// `tracing`. It is called in the middle of a request, so it must not block. A panic of
    /// `observer` is caught.
    pub fn on_event(mut self, observer: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.on_event = Some(Rule(Box::new(observer)));
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
