use std::fmt;
use std::sync::Arc;

use super::accounts::Accounts;
use super::builder::Settings;
use super::collections::Collections;
use super::login::look_up;
use super::stats::{Counters, Stats};
use super::{Credential, Principal, ReauthError, Reauthenticator, SessionBuilder, Target, Why};
use crate::runtime::LoginOf;

const TOO_MANY: &str = "too many principals are in use: see SessionBuilder::max_principals_in_use";

/// The state that all clones of a layer share: the reauthenticator and, for each principal, the
/// credentials and the login under way.
///
/// [`GareLayer::new`](crate::layer::GareLayer::new) makes a session with the default settings.
/// Build one to change the settings, to share logins between several clients, or to read its
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
    collections: Collections,
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
        let accounts = Accounts::new(&settings);
        Self {
            shared: Arc::new(Shared {
                reauthenticator,
                settings,
                accounts,
                collections: Collections::default(),
                counters: Counters::default(),
            }),
        }
    }

    /// The counters of the session.
    pub fn stats(&self) -> Stats {
        Stats {
            principals: self.shared.accounts.count() as u64,
            ..self.shared.counters.lock().clone()
        }
    }

    /// The credential for `target`: the current one, or one that a look-up finds. `None` if there
    /// is none, or if it has expired. No login starts.
    ///
    /// The target's collection counts only if the session knows that the origin is its server.
    ///
    /// # Errors
    ///
    /// If the look-up fails, takes longer than
    /// [`refresh_timeout`](SessionBuilder::refresh_timeout), or finds a credential that is not
    /// meant for the origin, or if too many principals are in use.
    pub async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        let target = &self.verified_target(target);
        let account = self.accounts().find_or_make(target.principal());
        let account = account.ok_or_else(|| ReauthError::new(TOO_MANY))?;
        let (audience, why) = (target.audience().view(), {
            let state = account.account().lock_current(self.reauthenticator());
            match state.current(target.audience().view()) {
                Some(_) => Why::Expired,
                None => Why::Initial,
            }
        });
        // No look-up starts if the current credential has not expired.
        if let Some(running) = look_up(self, &account, target, 0, why) {
            let ended = running.ended_within(self.settings().refresh_timeout).await;
            ended.ok_or_else(ReauthError::slow_look_up)??;
        }
        let state = account.account().lock();
        let credential = state.current(audience).map(|issued| &issued.credential);
        Ok(credential.filter(|it| !it.is_expired()).cloned())
    }

    /// Makes `credential` the current one of `target`. A request that was sent with an earlier one
    /// and is challenged is replayed with it.
    ///
    /// The target's collection counts only if the session knows that the origin is its server.
    ///
    /// # Errors
    ///
    /// If the credential is [for a collection](Credential::for_collection) and the origin is
    /// another host, or the other way round, or if too many principals are in use.
    pub fn set_credential(
        &self,
        target: &Target,
        credential: Credential,
    ) -> Result<(), ReauthError> {
        let target = &self.verified_target(target);
        let credential = self.meant_for(target, credential)?;
        let account = self.accounts().find_or_make(target.principal());
        let account = account.ok_or_else(|| ReauthError::new(TOO_MANY))?;
        let mut state = account.account().lock_current(self.reauthenticator());
        state.issue(target.audience(), credential, self.settings());
        Ok(())
    }

    /// Counts the current credential of `target` as rejected: it is not sent again.
    pub fn invalidate(&self, target: &Target) {
        if let Some(account) = self.accounts().peek(target.principal()) {
            account.lock().invalidate(target.audience());
        }
    }

    /// Forgets the credentials, the logins and the backoffs of `principal`. Requests that wait for
    /// a login of the principal end with [`GaveUp::Forgotten`](super::GaveUp::Forgotten), and the
    /// result of the login is dropped.
    pub fn forget(&self, principal: &Principal) {
        if let Some(account) = self.accounts().peek(principal) {
            account.lock().forget();
        }
    }

    pub(super) fn reauthenticator(&self) -> &dyn Reauthenticator {
        &*self.shared.reauthenticator
    }

    pub(super) fn shared_reauthenticator(&self) -> Arc<dyn Reauthenticator> {
        Arc::clone(&self.shared.reauthenticator)
    }

    /// The mark of the tasks of this session's logins.
    pub(super) fn login_of(&self) -> LoginOf {
        LoginOf(Arc::as_ptr(&self.shared).addr())
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(super) fn accounts(&self) -> &Arc<Accounts> {
        &self.shared.accounts
    }

    pub(super) fn collections(&self) -> &Collections {
        &self.shared.collections
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
