//! A login with changes that could not be stored.

use super::store::Login;

/// A login in memory, because the store failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unsaved {
    /// The login before the changes.
    pub(super) before: Login,
    pub(super) login: Login,
}

impl Unsaved {
    /// Adds the changes to the stored login. `false` if nothing is left to add: there was a login
    /// or logout since, or the refreshed tokens were replaced.
    pub(super) fn add_to(&self, stored: &mut Login) -> bool {
        let is_older = stored.epoch() < self.login.epoch();
        if stored.revision() > self.login.revision() || stored.epoch() > self.login.epoch() {
            return false;
        }
        if is_older {
            *stored = self.login.clone();
            return true;
        }
        let mut is_changed = false;
        for (server, new) in &self.login.tokens {
            let old = self.before.tokens.get(server).filter(|old| !old.is(new));
            // The stored token is the newer one if it was replaced since.
            is_changed |=
                old.is_some_and(|old| stored.refreshed(server, old, new.clone()).is_none());
        }
        is_changed
    }
}
