use std::fmt;
use std::sync::Arc;

use super::accounts::Accounts;
use super::builder::Settings;
use super::stats::{Counters, Stats};
use super::{Reauthenticator, SessionBuilder};

/// The state that all clones of a layer share: the reauthenticator and, per principal, the current
/// credentials, their generation and the login under way.
///
/// [`GareLayer::new`](crate::layer::GareLayer::new) makes a session with the default settings. Build
/// one to change the settings, to share logins between several clients, or to read its
/// [`stats`](Self::stats).
///
/// # Clone
///
/// Clones share one state. [`Session::builder`] has every setting; a built session has no setters.
///
/// ```
/// use globus_gare::layer::GareLayer;
/// use globus_gare::reauth::{Credential, Session, reauth_fn};
///
/// let session = Session::builder(reauth_fn(|_| async { Ok(Credential::bearer("AgEX4mpl3")?) })).max_logins(2).build();
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

impl Session {
    /// Makes a session with the default settings. It [trusts Globus](super::Trust::globus).
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::builder(reauthenticator).build()
    }

    /// Starts to configure a session.
    pub fn builder(reauthenticator: impl Reauthenticator) -> SessionBuilder {
        SessionBuilder::new(Arc::new(reauthenticator))
    }

    pub(super) fn with_settings(
        reauthenticator: Arc<dyn Reauthenticator>,
        settings: Settings,
    ) -> Self {
        let accounts = Accounts::new(settings.max_principals, settings.principal_idle);
        Self {
            shared: Arc::new(Shared {
                reauthenticator,
                settings,
                accounts,
                counters: Counters::default(),
            }),
        }
    }

    /// Counts what the session has done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            principals: self.shared.accounts.count() as u64,
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
