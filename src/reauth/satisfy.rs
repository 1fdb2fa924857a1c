//! Satisfies a challenge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::account::{Account, Issued, Login};
use super::accounts::InUse;
use super::decide::{Challenged, Step, Wanted, decide};
use super::events::EventKind;
use super::exchange::Exchange;
use super::login::{log_in, look_up};
use super::requirement::Requirement;
use super::route::is_bearer;
use super::rules::Rule;
use super::run::{Ended, Running};
use super::unmet::Place;
use super::{Challenge, Credential, GaveUp, Principal, ReauthError, Target, Why};
use crate::gare::{AuthorizationParameters, Gare, coalesce};

/// A login that takes longer may itself wait for a request that waits for it.
const LONG: Duration = Duration::from_secs(30);

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
    /// Obtains a credential that satisfies the requirements of the challenge. If it has none, any
    /// credential does.
    pub(super) async fn satisfy(
        &mut self,
        target: &Target,
        replayable: bool,
    ) -> Result<Issued, GaveUp> {
        let settings = self.session.settings();
        let max_replays = settings.max_replays;
        if !replayable && !settings.login_if_not_replayable && !self.options.login_only {
            return Err(GaveUp::NotReplayable);
        }
        if self.presented.as_ref().is_some_and(|it| !is_bearer(it)) {
            return Err(GaveUp::NotBearer);
        }
        let is_presented = matches!(target.principal(), Principal::Presented(_));
        if is_presented && !settings.supersede_presented {
            return Err(GaveUp::Presented);
        }
        if self.outcome.replays >= max_replays {
            return Err(GaveUp::Exhausted);
        }
        let account = self.account_of(target)?;
        let place = Place::new(target.audience(), &self.uri);
        self.note_rejected(&account, &place);
        let wanted = self.wanted(target);
        let asked = wanted.iter().map(|wanted| Arc::clone(&wanted.requirement));
        self.challenged_for.extend(asked);
        // What each login since the last response satisfies, if that is known.
        let mut given = Vec::new();
        loop {
            // A login is followed by a replay, unless its credential is gone by then.
            if given.len() > max_replays as usize {
                return Err(GaveUp::Exhausted);
            }
            match self.step(&account, &place, &wanted) {
                Step::Replay(issued) => {
                    self.satisfied.extend(given.into_iter().flatten());
                    return Ok(issued);
                }
                Step::NoProgress(_) => return Err(GaveUp::NoProgress),
                Step::GiveUp(reason) => return Err(reason),
                Step::LookUp(wanted) => self.look(&account, target, wanted).await?,
                Step::WaitFor { login, wanted } => {
                    self.session.emit(target, EventKind::Waiting);
                    self.remember_waiting(&account, &place, wanted.gare);
                    let _ = self.wait(target, login).await?;
                    // The login may have brought a credential that a look-up finds.
                    self.looked_up.clear();
                }
                Step::Join(login) => {
                    self.waiting = None;
                    self.session.counters().lock().joins += 1;
                    self.session.emit(target, EventKind::Joined);
                    given.push(self.wait_for(target, login).await?);
                }
                Step::Lead { gare, login } => {
                    self.waiting = None;
                    let challenge = self.challenge(target, gare);
                    log_in(&self.session, &account, login.clone(), challenge);
                    given.push(self.wait_for(target, login).await?);
                }
            }
        }
    }

    fn account_of(&mut self, target: &Target) -> Result<InUse, GaveUp> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let account = self.session.accounts().find_or_make(target.principal());
        let account = account.ok_or(GaveUp::TooManyPrincipals)?;
        self.epoch = account.account().lock().epoch();
        self.account = Some(account.clone());
        Ok(account)
    }

    fn note_rejected(&self, account: &InUse, place: &Place) {
        let mut state = account.account().lock();
        match &self.presented {
            Some(presented) if self.sent == 0 => {
                let presented = Credential::from_header_value(presented.clone());
                let settings = self.session.settings();
                state.note_presented_rejected(&place.audience, presented, settings);
            }
            _ => state.note_rejected(&place.audience, self.sent),
        }
    }

    /// The requirements, and whether the program approves them.
    fn wanted(&mut self, target: &Target) -> Vec<Wanted> {
        let found = &self.outcome.found;
        let accepts_any = found.is_empty();
        let mut required = coalesce(found.iter().map(|found| found.gare.clone()));
        if accepts_any {
            let any = AuthorizationParameters::default();
            required.push(Gare::new("Unauthenticated", any));
        }
        let requirement = |gare: &Gare| match accepts_any {
            true => Requirement::AnyCredential,
            false => Requirement::Parameters(gare.authorization_parameters.clone()),
        };
        let wanted = required.into_iter().map(|gare| {
            let asked = requirement(&gare);
            let approved = self.approved(&asked, &gare, target);
            let is_approved = approved.is_some();
            let gare = approved.unwrap_or(gare);
            Wanted {
                requirement: Arc::new(requirement(&gare)),
                gare,
                is_approved,
            }
        });
        wanted.collect()
    }

    /// The requirement that the program approves. `approve` is called once for each requirement.
    fn approved(&mut self, asked: &Requirement, gare: &Gare, target: &Target) -> Option<Gare> {
        let Some(Rule(approve)) = &self.session.settings().approve else {
            return Some(gare.clone());
        };
        let mut known = self.approved.iter();
        if let Some((_, approved)) = known.find(|(known, _)| known == asked) {
            return approved.clone();
        }
        let approved = approve(&self.challenge(target, gare.clone()));
        self.approved.push((asked.clone(), approved.clone()));
        approved
    }

    fn challenge(&self, target: &Target, gare: Gare) -> Challenge {
        let account = self.account.as_ref();
        let held_scopes = account.map(|account| account.account().lock().scopes().clone());
        Challenge {
            target: target.clone(),
            gare,
            found: self.outcome.found.clone(),
            status: self.status,
            method: self.method.clone(),
            uri: self.uri.clone(),
            attempt: self.outcome.logins.saturating_add(1),
            generation: self.sent,
            ends_at: Instant::now().checked_add(self.session.settings().login_timeout),
            is_unauthenticated: self.outcome.found.is_empty(),
            held_scopes: held_scopes.unwrap_or_default(),
            login_of: Some(self.session.login_of()),
        }
    }

    /// Decides the next step, and records it under the same lock.
    fn step(&mut self, account: &InUse, place: &Place, wanted: &[Wanted]) -> Step {
        let (settings, now) = (self.session.settings(), Instant::now());
        let request = Challenged {
            place,
            wanted,
            options: &self.options,
            epoch: self.epoch,
            sent: self.sent,
            satisfied: &self.satisfied,
            logins: self.outcome.logins,
            looked_up: &self.looked_up,
        };
        let mut state = account
            .account()
            .lock_current(self.session.reauthenticator());
        let step = decide(&state, &request, settings, now);
        match &step {
            Step::NoProgress(requirement) => {
                let clock = (now, settings.backoff);
                state.note_unmet(place, self.sent, requirement, clock);
            }
            Step::Lead { login, .. } => state.begin_login(login.clone(), &place.path),
            Step::Join(_) => state.join_login(&place.path),
            _ => {}
        }
        step
    }

    /// Looks for a credential that was not rejected, without a person.
    async fn look(
        &mut self,
        account: &InUse,
        target: &Target,
        wanted: Wanted,
    ) -> Result<(), GaveUp> {
        let why = match &*wanted.requirement {
            Requirement::AnyCredential => Why::Unauthorized,
            Requirement::Parameters(_) => Why::Required(Arc::new(wanted.gare)),
        };
        self.looked_up.push(wanted.requirement);
        let Some(running) = look_up(&self.session, account, target, self.sent, why) else {
            return Ok(());
        };
        let limit = self.session.settings().refresh_timeout;
        let ended = self.within_max_wait(running.ended_within(limit)).await;
        match ended.ok_or(GaveUp::MaxWait)? {
            None => Err(GaveUp::Unavailable(ReauthError::slow_look_up())),
            Some(Err(error)) if error.is_unavailable() => Err(GaveUp::Unavailable(error)),
            Some(_) => Ok(()),
        }
    }

    /// Waits for a login that covers the requirement. Returns what the login satisfies, if that is
    /// known. The next step replays the request, unless the principal was forgotten, or the
    /// credential invalidated, meanwhile.
    async fn wait_for(
        &mut self,
        target: &Target,
        login: Login,
    ) -> Result<Option<Arc<Requirement>>, GaveUp> {
        let ended = self.wait(target, login.running).await?;
        let issued = match ended {
            // A successful login always has a credential.
            Ok(issued) => issued.ok_or(GaveUp::NoProgress)?,
            Err(error) if error.is_forgotten() => return Err(GaveUp::Forgotten),
            Err(error) => return Err(GaveUp::Failed(error)),
        };
        if issued.credential.is_unverified() {
            return Ok(None);
        }
        self.outcome.logins += 1;
        Ok(Some(login.requirement))
    }

    async fn wait(&mut self, target: &Target, login: Running) -> Result<Ended, GaveUp> {
        let session = self.session.clone();
        let ended = async move {
            match login.clone().ended_within(LONG).await {
                Some(ended) => ended,
                None => {
                    if login.is_first_warned() {
                        session.emit(target, EventKind::LoginTakesLong);
                    }
                    login.ended().await
                }
            }
        };
        let ended = self.within_max_wait(ended).await;
        ended.ok_or(GaveUp::MaxWait)
    }

    /// Remembers the requirement in the place of that of an earlier wait.
    fn remember_waiting(&mut self, account: &InUse, place: &Place, gare: Gare) {
        let account = Arc::clone(account.account());
        let id = account
            .lock()
            .remember_waiting(place.audience.clone(), gare);
        self.waiting = Some(Waiting { account, id });
    }
}
