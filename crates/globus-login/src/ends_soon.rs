//! Warns that a Globus Auth session ends soon, while there is time for a login.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::GlobusAppBuilder;
use super::LoginStatus;
use super::app::{GlobusApp, Shared};
use super::store::Login;
use super::user::AppUser;
use globus_gare::reauth::Principal;

/// How often to read the clock: the machine may sleep in between.
const LOOK: Duration = Duration::from_secs(60);

/// The end of a session.
#[derive(Debug)]
struct End {
    /// The collection or service that challenged an older login.
    place: String,
    at: SystemTime,
    told_at: SystemTime,
}

impl GlobusAppBuilder {
    /// How long before the end of a Globus Auth session to warn: with a WARN event
    /// (`session ends soon`), and with [`LoginStatus::SessionEndsSoon`] to the prompt. At most half
    /// the length of the session. Zero turns the warning off. Default: one hour.
    ///
    /// The app warns once for each login whose credentials are used on a tokio runtime. The end of
    /// a session is known only if the login was made for a requirement, and an earlier login of
    /// some age was challenged for the same requirement. See [`AppUser::check`].
    pub fn warn_before_session_ends(mut self, before: Duration) -> Self {
        self.warn_before = before;
        self
    }
}

impl AppUser {
    /// Starts a task that warns when the session of the login ends soon.
    pub(super) fn watch_end(&self, login: &Login) {
        let logins = &self.shared.logins;
        let is_kept = matches!(self.principal, Principal::Session | Principal::Named(_));
        if !is_kept || self.next_end(login).is_none() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if logins.begin_watch(&self.key, login.epoch()) {
            let shared = Arc::downgrade(&self.shared);
            runtime.spawn(watch(shared, self.principal.clone(), login.clone()));
        }
    }

    /// The next end of the session.
    fn next_end(&self, login: &Login) -> Option<End> {
        let before = self.shared.settings.warn_before;
        let now = self.shared.logins.clock.now();
        let record = login.record.as_ref().filter(|_| !before.is_zero())?;
        let ends = record.learned.iter().filter_map(|(place, learned)| {
            let length = learned.refused_age()?;
            let at = record.at().checked_add(length)?;
            let is_to_come = now < at && record.satisfies(learned.required());
            is_to_come.then(|| End {
                place: place.clone(),
                at,
                told_at: at - before.min(length / 2),
            })
        });
        ends.min_by_key(|end| end.told_at)
    }
}

/// Waits until the session ends soon, and warns if there was no login since. Does not keep the app
/// alive.
async fn watch(shared: Weak<Shared>, principal: Principal, mut login: Login) {
    let user = || {
        let shared = shared.upgrade()?;
        Some(GlobusApp { shared }.for_user(&principal))
    };
    while let Some(user_now) = user() {
        let logins = &user_now.shared.logins;
        // The session of the login in use may end before that of the watched one.
        if logins.is_another_in_use(&user_now.key, login.epoch())
            && let Ok(kept) = user_now.load().await
        {
            login = kept;
        }
        let Some(end) = user_now.next_end(&login) else {
            return logins.end_watch(&user_now.key, None);
        };
        let left = end.told_at.duration_since(logins.clock.now());
        if let Ok(left) = left.map(|left| left.min(LOOK))
            && !left.is_zero()
        {
            drop(user_now);
            tokio::time::sleep(left).await;
            continue;
        }
        let epoch = login.epoch();
        match user_now.load().await {
            Ok(kept) if kept.epoch() != epoch => login = kept,
            _ => {
                user_now.tell_of_the_session(end);
                // The next use of a credential starts a new watch.
                return logins.end_watch(&user_now.key, Some(epoch));
            }
        }
    }
}

impl AppUser {
    fn tell_of_the_session(&self, end: End) {
        let user = self.key.user();
        tracing::warn!(user, place = end.place, "session ends soon");
        self.tell(&LoginStatus::SessionEndsSoon {
            user: self.key.clone(),
            place: end.place,
            until: end.at,
        });
    }
}
