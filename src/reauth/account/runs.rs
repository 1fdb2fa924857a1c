//! Begins and ends the logins and look-ups of an account.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::at_origin::LastLogin;
use super::super::budget::Waited;
use super::super::builder::Settings;
use super::super::requirement::Requirement;
use super::super::run::{Ended, Running};
use super::super::{Credential, ReauthError};
use super::{Login, LookUp, Refresh, State};

/// How many scopes are remembered. Further scopes count as new each time.
const MAX_SCOPES: usize = 256;

impl State {
    pub(in super::super) fn begin_login(&mut self, login: Login, path: &Arc<str>) {
        self.login = Some(login);
        self.waited = Waited::default();
        self.waited.add(path);
    }

    pub(in super::super) fn join_login(&mut self, path: &Arc<str>) {
        self.waited.add(path);
    }

    /// Ends `login` with its result, unless it was lost or forgotten.
    pub(in super::super) fn end_login(
        &mut self,
        login: &Login,
        result: Result<Credential, ReauthError>,
        settings: &Settings,
    ) -> Ended {
        let is_current = |current: &mut Login| current.running.is_same_as(&login.running);
        if self.login.take_if(is_current).is_none() {
            return login.running.result();
        }
        let now = Instant::now();
        match result {
            Ok(credential) => {
                let is_verified = !credential.is_unverified();
                if let Requirement::Parameters(parameters) = &*login.requirement {
                    let room = MAX_SCOPES.saturating_sub(self.scopes.len());
                    let brought = parameters.required_scopes.iter().take(room);
                    self.scopes.extend(brought.cloned());
                }
                for at in &mut self.origins {
                    at.forget_rejected();
                }
                let issued = self.issue(&login.audience, credential, settings);
                if is_verified {
                    let waited = std::mem::take(&mut self.waited);
                    let (generation, limit) = (issued.generation, settings.login_budget);
                    self.budget.spend(generation, waited, now, limit);
                    let at = self.at_mut(&login.audience, settings.max_origins);
                    at.last_login = Some(LastLogin {
                        generation,
                        requirement: Arc::clone(&login.requirement),
                    });
                }
                Ok(Some(issued))
            }
            Err(error) => {
                if error.is_failed_login() {
                    let at = self.at_mut(&login.audience, settings.max_origins);
                    at.note_failed(error.clone(), now, settings.backoff);
                }
                Err(error)
            }
        }
    }

    /// Ends the look-up `running` with its result, unless it was lost or forgotten.
    pub(in super::super) fn end_look_up(
        &mut self,
        running: &Running,
        result: Result<Option<Credential>, ReauthError>,
        settings: &Settings,
    ) -> Ended {
        let mut look_ups = self.look_ups.iter();
        let Some(index) = look_ups.position(|it| it.running.is_same_as(running)) else {
            return running.result();
        };
        let LookUp {
            audience,
            counts,
            began,
            ..
        } = self.look_ups.swap_remove(index);
        if counts == Refresh::Always || (counts == Refresh::IfFailed && result.is_err()) {
            let unavailable = result.as_ref().err().filter(|it| it.is_unavailable());
            let at = self.at_mut(&audience, settings.max_origins);
            at.note_refreshed(began, unavailable.cloned(), Instant::now());
        }
        // A login that ended meanwhile brought a newer credential.
        if let Some(newer) = self.newer_than(began, &audience) {
            return Ok(Some(newer.clone()));
        }
        let Some(found) = result? else {
            return Ok(None);
        };
        if let Some(at) = self.find_mut(&audience) {
            // The same token is no new generation. Only its lifetime may be new.
            if let Some(known) = &mut at.current
                && known.credential.sends_same_as(&found)
            {
                known.credential = found;
                return Ok(Some(known.clone()));
            }
            if at.has_rejected(&found) {
                return Ok(None);
            }
        }
        Ok(Some(self.issue(&audience, found, settings)))
    }
}
