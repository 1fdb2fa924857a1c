//! Satisfies a challenge.

use std::future::Future;
use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::account::{Account, Issued, Login};
use super::accounts::InUse;
use super::decide::{Challenged, Step, decide};
use super::exchange::Exchange;
use super::login::{log_in, look_up};
use super::route::Presented;
use super::run::Ended;
use super::stats::count;
use super::{Challenge, GaveUp, Origin, Target, events};
use crate::gare::{Found, Gare, coalesce};

/// The requirement of a request that waits for another login. The next login may include it.
pub(super) struct Waiting {
    account: Arc<Account>,
    id: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.account.lock().forget_waiting(self.id);
    }
}

impl Exchange {
    /// Obtains a credential that satisfies the requirement.
    pub(super) async fn satisfy(
        &mut self,
        target: &Target,
        status: StatusCode,
        found: &[Found],
        replayable: bool,
    ) -> Result<Issued, GaveUp> {
        let settings = self.session.settings();
        let max_replays = settings.max_replays;
        if !replayable && !settings.login_if_not_replayable && !self.options.login_only {
            return Err(GaveUp::NotReplayable);
        }
        if Presented::of(self.presented.as_ref()) == Presented::Other {
            return Err(GaveUp::NotBearer);
        }
        if self.outcome.replays >= max_replays {
            return Err(GaveUp::Exhausted);
        }
        let required = coalesce(found.iter().map(|found| found.gare.clone()));
        let account = match &self.account {
            Some(account) => account.clone(),
            None => {
                let account = self.session.accounts().find_or_make(target.principal());
                self.account.insert(account).clone()
            }
        };
        self.waiting = None;
        loop {
            match self.step(&account, target.origin(), &required) {
                Step::Replay(issued) => return Ok(issued),
                Step::NoProgress => return Err(GaveUp::NoProgress),
                Step::GiveUp(reason) => return Err(reason),
                Step::LookUp => {
                    self.looked_up = true;
                    if let Ok(running) = look_up(&self.session, &account, target, self.sent, None) {
                        let _ = self.wait(running.ended()).await?;
                    }
                }
                Step::WaitFor { login, required } => {
                    events::waiting(target);
                    self.remember_waiting(account.account(), required);
                    self.wait(login.ended()).await?.map_err(GaveUp::Failed)?;
                }
                Step::Join(login) => {
                    count(&self.session.counters().joins);
                    events::joined(target);
                    return self.wait_for(login).await;
                }
                Step::Lead {
                    gare,
                    login,
                    reporter,
                } => {
                    let (method, uri) = (self.method.clone(), self.uri.clone());
                    let challenge = Challenge::of_request(target.clone(), gare, method, uri)
                        .answered(status, found.to_vec())
                        .at(self.outcome.logins.saturating_add(1), self.sent);
                    log_in(&self.session, &account, login.clone(), challenge, reporter);
                    return self.wait_for(login).await;
                }
            }
        }
    }

    /// Decides, and records the decision under the same lock.
    fn step(&mut self, account: &InUse, origin: &Origin, required: &[Gare]) -> Step {
        let (settings, now) = (self.session.settings(), Instant::now());
        let request = Challenged {
            origin,
            required,
            options: &self.options,
            sent: self.sent,
            satisfied: &self.satisfied,
            logins: self.outcome.logins,
            looked_up: self.looked_up,
        };
        let mut state = account.account().lock();
        let step = decide(&state, &request, settings, now);
        match &step {
            Step::NoProgress => {
                for gare in required {
                    let unmet = gare.authorization_parameters.clone();
                    state.note_unmet(unmet, now, settings.backoff);
                }
            }
            Step::Lead { login, .. } => state.begin_login(login.clone()),
            _ => {}
        }
        step
    }

    /// Waits for a login that covers the requirement.
    async fn wait_for(&mut self, login: Login) -> Result<Issued, GaveUp> {
        let ended = self.wait(login.running.ended()).await?;
        // A login that succeeds gives a credential.
        let issued = ended.map_err(GaveUp::Failed)?.ok_or(GaveUp::NoProgress)?;
        self.outcome.logins += 1;
        self.satisfied.push(login.requirement);
        Ok(issued)
    }

    async fn wait(&mut self, ended: impl Future<Output = Ended>) -> Result<Ended, GaveUp> {
        let ended = self.within_max_wait(ended).await;
        ended.ok_or(GaveUp::MaxWait)
    }

    fn remember_waiting(&mut self, account: &Arc<Account>, required: Gare) {
        if self.waiting.is_none() {
            let id = account.lock().remember_waiting(required);
            self.waiting = Some(Waiting {
                account: Arc::clone(account),
                id,
            });
        }
    }
}
