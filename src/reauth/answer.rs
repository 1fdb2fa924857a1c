//! What becomes of an answer that asks for something.

use std::pin::pin;
use std::sync::Arc;

use http::{HeaderValue, StatusCode};
use tokio::sync::watch;
use tokio::time::Instant;

use super::asked::{Asked, Presented};
use super::current::Issued;
use super::events;
use super::exchange::{Exchange, Pending, before};
use super::flight::landing_of;
use super::requirement::covers;
use super::slot::{Landed, Landing, Login, Slot};
use super::stats::count;
use super::{Origin, Refusal, Target};
use crate::gare::{AuthorizationParameters, Found, Gare, coalesce};
use crate::runtime;

/// What to do about a challenge, decided under the slot's lock.
enum Step {
    Replay(Issued),
    Renew,
    Lead {
        gare: Gare,
        landing: Landing,
        landed: watch::Sender<Option<Landed>>,
    },
    Join {
        requirement: AuthorizationParameters,
        landing: Landing,
    },
    WaitFor(Landing),
    Stop(Refusal),
}

impl Exchange {
    /// What an answer asks for, and the header to replay with if it could be had.
    pub(crate) async fn decide(
        mut self,
        asked: Asked,
        status: StatusCode,
        found: Vec<Found>,
        replayable: bool,
    ) -> (Self, Option<HeaderValue>) {
        if runtime::is_aboard() {
            return (self, None);
        }
        let Some(target) = self.target(&asked) else {
            return (self, None);
        };
        let until = self.waits_until();
        if found.is_empty() {
            let renewed = before(
                until,
                pin!(self.renew_after_401(&target, status, replayable)),
            )
            .await;
            let header = renewed
                .flatten()
                .map(|issued| self.replay(&target, &issued));
            return (self, header);
        }
        count(&self.session.counters().challenges);
        events::challenged(&target, &asked.method, status, &found, self.sent);
        self.dealings().outcome.found = found;
        let answer = before(
            until,
            pin!(self.satisfy(&asked, &target, status, replayable)),
        )
        .await
        .unwrap_or(Err(Refusal::DeadlineElapsed));
        let once = if !replayable {
            Some(Refusal::NotReplayable)
        } else if self.options().login_only {
            Some(Refusal::LoginOnly)
        } else {
            None
        };
        match (answer, once) {
            (Ok(issued), None) => {
                let header = self.replay(&target, &issued);
                (self, Some(header))
            }
            (Ok(_), Some(refusal)) | (Err(refusal), _) => {
                self.refuse(refusal);
                (self, None)
            }
        }
    }

    async fn satisfy(
        &mut self,
        request: &Asked,
        target: &Target,
        status: StatusCode,
        replayable: bool,
    ) -> Result<Issued, Refusal> {
        let settings = self.session.settings();
        if Presented::of(request.presented.as_ref()) == Presented::Other {
            return Err(Refusal::NotBearer);
        }
        if !replayable && !settings.login_for_unreplayable && !self.options().login_only {
            return Err(Refusal::NotReplayable);
        }
        if self.outcome().replays >= settings.max_replays {
            return Err(Refusal::Exhausted);
        }
        let asked = coalesce(self.outcome().found.iter().map(|found| found.gare.clone()));
        let slot = self.slot_for(target.identity());
        self.dealings().pending = None;
        loop {
            match self.step(&slot, target.origin(), &asked) {
                Step::Replay(issued) => return Ok(issued),
                Step::Stop(refusal) => return Err(refusal),
                Step::Renew => {
                    self.dealings().renewed = true;
                    let _ = self.renew(&slot, target, None).await;
                }
                Step::WaitFor(landing) => {
                    events::waiting(target);
                    landing_of(landing).await.map_err(Refusal::Failed)?;
                }
                Step::Join {
                    requirement,
                    landing,
                } => {
                    count(&self.session.counters().joins);
                    events::joined(target);
                    return self.logged_in(requirement, landing).await;
                }
                Step::Lead {
                    gare,
                    landing,
                    landed,
                } => {
                    let requirement = gare.authorization_parameters.clone();
                    self.log_in(&slot, request, target, gare, status, landed);
                    return self.logged_in(requirement, landing).await;
                }
            }
        }
    }

    /// Waits for a login that satisfies this request's requirement.
    async fn logged_in(
        &mut self,
        requirement: AuthorizationParameters,
        landing: Landing,
    ) -> Result<Issued, Refusal> {
        match landing_of(landing).await {
            Ok(Some(issued)) => {
                let dealings = self.dealings();
                dealings.outcome.logins += 1;
                dealings.satisfied.push(requirement);
                Ok(issued)
            }
            // A login that succeeds gives a credential; `None` cannot come here.
            Ok(None) => Err(Refusal::NoProgress),
            Err(error) => Err(Refusal::Failed(error)),
        }
    }

    fn step(&mut self, slot: &Arc<Slot>, origin: &Origin, asked: &[Gare]) -> Step {
        let mut state = slot.lock();
        let session = self.session.clone();
        let settings = session.settings();
        let now = Instant::now();
        // The refusal is about a credential that is no longer the current one.
        if let Some(issued) = state.newer_than(self.sent, origin) {
            return Step::Replay(issued);
        }
        // A login at another service may have given this one a better token too.
        if state.logged_in_since(self.sent)
            && !self.has_renewed()
            && !state.is_barren(origin.view(), now)
        {
            return Step::Renew;
        }
        let spent = self.outcome().logins >= settings.max_logins;
        let is_new = |gare: &&Gare| {
            let parameters = &gare.authorization_parameters;
            !self
                .satisfied()
                .iter()
                .any(|given| covers(given, parameters))
        };
        let Some(gare) = asked.iter().find(is_new) else {
            let until = settings.cool_down_from(now);
            asked.iter().for_each(|gare| {
                state.note_futile(gare.authorization_parameters.clone(), now, until)
            });
            return Step::Stop(Refusal::NoProgress);
        };
        if self.options().no_prompt {
            return Step::Stop(Refusal::NoPrompt);
        }
        if let Some(login) = state.login() {
            let landing = login.landing.clone();
            let covered = login.origin == *origin
                && covers(&login.requirement, &gare.authorization_parameters);
            if covered && spent {
                return Step::Stop(Refusal::Exhausted);
            }
            if covered {
                return Step::Join {
                    requirement: login.requirement.clone(),
                    landing,
                };
            }
            let pending = &mut self.dealings().pending;
            if pending.is_none() {
                let id = state.remember(gare.clone());
                *pending = Some(Pending {
                    slot: Arc::clone(slot),
                    id,
                });
            }
            return Step::WaitFor(landing);
        }
        if state.is_futile(&gare.authorization_parameters, now) {
            return Step::Stop(Refusal::NoProgress);
        }
        // Another request's login was asked for just this, and nobody got in with it yet.
        let since = now.checked_sub(settings.cool_down);
        let tried = state.just_asked(&gare.authorization_parameters, self.sent, since);
        if tried.is_some_and(|generation| !slot.is_proven(generation)) {
            return Step::Stop(Refusal::NoProgress);
        }
        if let Some(error) = state.cooling_down(now) {
            return Step::Stop(Refusal::Failed(error));
        }
        if spent {
            return Step::Stop(Refusal::Exhausted);
        }
        let gare = state.with_pending(gare.clone());
        let (landed, landing) = watch::channel(None);
        state.take_off(Login {
            origin: origin.clone(),
            requirement: gare.authorization_parameters.clone(),
            landing: landing.clone(),
        });
        Step::Lead {
            gare,
            landing,
            landed,
        }
    }

    /// One silent renewal after a `401` that says nothing of a requirement.
    async fn renew_after_401(
        &mut self,
        target: &Target,
        status: StatusCode,
        replayable: bool,
    ) -> Option<Issued> {
        if !self.minds(status) || !replayable || self.options().login_only {
            return None;
        }
        let slot = Arc::clone(self.slot()?);
        self.dealings().renewed = true;
        let sent = slot.lock().current(target.origin());
        let refused = sent.filter(|issued| issued.generation == self.sent);
        let refused = refused.map(|issued| issued.credential);
        let renewed = self.renew(&slot, target, refused).await.ok().flatten()?;
        (renewed.generation > self.sent).then_some(renewed)
    }

    fn replay(&mut self, target: &Target, issued: &Issued) -> HeaderValue {
        self.sent = issued.generation;
        let outcome = &mut self.dealings().outcome;
        outcome.replays += 1;
        outcome.refusal = None;
        let replays = outcome.replays;
        count(&self.session.counters().replays);
        events::replayed(target, replays, issued.generation);
        issued.credential.header_value().clone()
    }
}
