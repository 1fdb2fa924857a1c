use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::accounts::Accounts;
use super::stats::{Counters, Stats};
use super::{Reauthenticator, Trust};

/// The state that all clones of a layer share: the reauthenticator and, per
/// identity, the current credential, its generation and the login under way.
///
/// Most programs never name it: [`GareLayer::new`](crate::layer::GareLayer::new)
/// makes one. Build it here to share one login between several clients, or to
/// read its [`stats`](Self::stats).
///
/// # Clone
///
/// Clones are the same session. A setter gives a session of its own, with the
/// same reauthenticator and nothing remembered: call them before you clone.
///
/// ```
/// use globus_gare::layer::GareLayer;
/// use globus_gare::reauth::{Credential, Session, reauth_fn};
///
/// let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) })).max_logins(2);
/// let transfer = GareLayer::from_session(session.clone());
/// let groups = GareLayer::from_session(session.clone());
/// assert_eq!(session.stats().logins, 0);
/// ```
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    reauthenticator: Arc<dyn Reauthenticator>,
    settings: Settings,
    accounts: Arc<Accounts>,
    counters: Counters,
}

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

impl Session {
    /// A session over `reauthenticator` that [trusts Globus](Trust::globus).
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::with_settings(Arc::new(reauthenticator), Settings::default())
    }

    fn with_settings(reauthenticator: Arc<dyn Reauthenticator>, settings: Settings) -> Self {
        let accounts = Accounts::new(settings.max_identities, settings.identity_idle);
        Self {
            shared: Arc::new(Shared {
                reauthenticator,
                settings,
                accounts,
                counters: Counters::default(),
            }),
        }
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        change(&mut settings);
        Self::with_settings(Arc::clone(&self.shared.reauthenticator), settings)
    }

    /// The origins that are listened to and given a credential; by default [`Trust::globus`].
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        self.set(|settings| settings.trust = trust)
    }

    /// How many logins one request may wait for; 3 by default, since consent,
    /// then policy, then MFA may come one after another.
    #[must_use]
    pub fn max_logins(self, logins: u32) -> Self {
        self.set(|settings| settings.max_logins = logins)
    }

    /// How often one request may be sent again; 10 by default. There are more
    /// replays than logins where others' logins get in between.
    #[must_use]
    pub fn max_replays(self, replays: u32) -> Self {
        self.set(|settings| settings.max_replays = replays)
    }

    /// How long a login may take before it is dropped; 15 minutes by default.
    #[must_use]
    pub fn flight_timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.flight_timeout = timeout)
    }

    /// For how long after a login that failed or did not help nobody is asked
    /// again; 30 seconds by default.
    #[must_use]
    pub fn cool_down(self, cool_down: Duration) -> Self {
        self.set(|settings| settings.cool_down = cool_down)
    }

    /// How long before its end a credential counts as run out; 60 seconds by default.
    #[must_use]
    pub fn expiry_leeway(self, leeway: Duration) -> Self {
        self.set(|settings| settings.expiry_leeway = leeway)
    }

    /// How many identities beside the session's own are remembered; 1024 by
    /// default. Beyond that the one that was idle longest is forgotten: it has to
    /// log in again when it is next challenged.
    #[must_use]
    pub fn max_identities(self, identities: usize) -> Self {
        self.set(|settings| settings.max_identities = identities)
    }

    /// After how long without a request an identity is forgotten; 24 hours by default.
    #[must_use]
    pub fn identity_idle(self, idle: Duration) -> Self {
        self.set(|settings| settings.identity_idle = idle)
    }

    /// For how many services the credentials of one identity are kept; 64 by default.
    #[must_use]
    pub fn max_origins(self, origins: usize) -> Self {
        self.set(|settings| settings.max_origins = origins)
    }

    /// Whether a request that cannot be sent again still has its requirement
    /// satisfied, for the next one's sake; no by default.
    #[must_use]
    pub fn login_for_unreplayable(self, login: bool) -> Self {
        self.set(|settings| settings.login_for_unreplayable = login)
    }

    /// What the session has done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            identities: self.shared.accounts.count() as u64,
            ..self.shared.counters.read()
        }
    }

    pub(super) fn reauthenticator(&self) -> Arc<dyn Reauthenticator> {
        Arc::clone(&self.shared.reauthenticator)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(super) fn accounts(&self) -> &Arc<Accounts> {
        &self.shared.accounts
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
