//! What becomes of an answer that asks for something.

use std::future::Future;
use std::pin::pin;
use std::slice;
use std::sync::Arc;

use http::{HeaderValue, StatusCode, Uri};
use tokio::time::Instant;

use super::asked::{Asked, Presented};
use super::current::Issued;
use super::events;
use super::exchange::{Exchange, Pending, before};
use super::landing::{Beacon, Landing, awaited};
use super::requirement::covers;
use super::slot::{Login, Slot};
use super::stats::count;
use super::{Challenge, Origin, Refusal, Target};
use crate::gare::{AuthorizationParameters, Found, Gare, OverLimit, coalesce};
use crate::runtime;

/// An answer that is to be decided on. One is kept for each request that waits.
struct Refused {
    asked: Asked,
    presented: Presented,
    target: Target,
    status: StatusCode,
    found: Vec<Found>,
    replayable: bool,
}

/// What to do about a challenge, decided under the slot's lock.
enum Step {
    Replay(Issued),
    Renew,
    Lead {
        gare: Gare,
        requirement: Arc<AuthorizationParameters>,
        landing: Landing,
        beacon: Beacon,
    },
    Join {
        requirement: Arc<AuthorizationParameters>,
        landing: Landing,
    },
    WaitFor(Landing),
    Stop(Refusal),
}

/// What is waited for.
enum Flight {
    Renewal,
    /// A login that does not give what is asked for.
    Another,
    /// One that does.
    Ours(Arc<AuthorizationParameters>),
}

impl Exchange {
    /// What an answer asks for, and the header to replay with if it could be had.
    ///
    /// No `async fn`, which would keep its arguments twice in the memory of every request that waits.
    pub(crate) fn decide(
        mut self,
        asked: Asked,
        status: StatusCode,
        found: Vec<Found>,
        replayable: bool,
    ) -> impl Future<Output = (Self, Option<HeaderValue>)> + Send {
        let target = match runtime::is_aboard() {
            true => None,
            false => self.take_target(&asked),
        };
        let mut refused = target.map(|target| Refused {
            presented: Presented::of(asked.presented.as_ref()),
            found: self.heard(&target, found),
            asked,
            target,
            status,
            replayable,
        });
        async move {
            let until = self.waits_until();
            let answer = match &mut refused {
                None => return (self, None),
                Some(refused) if refused.found.is_empty() => {
                    let renewed =
                        before(until, Box::pin(self.renew_after_401(refused)).as_mut()).await;
                    renewed.flatten().map(Ok)
                }
                Some(refused) => {
                    self.challenged(refused);
                    let answer = before(until, pin!(self.satisfy(refused))).await;
                    let answer = answer.unwrap_or(Err(Refusal::DeadlineElapsed));
                    Some(answer.and_then(|issued| self.once(refused).map_or(Ok(issued), Err)))
                }
            };
            if let Some(Refused { target, found, .. }) = refused {
                let dealings = self.dealings();
                dealings.target = Some(target);
                if !found.is_empty() {
                    dealings.outcome.found = found;
                }
            }
            let header = match answer {
                Some(Ok(issued)) => Some(self.replay(issued)),
                Some(Err(refusal)) => {
                    self.refuse(refusal);
                    None
                }
                None => None,
            };
            (self, header)
        }
    }

    /// Tells what an answer asks for that is too much to be acted on.
    pub(crate) fn left_out(&mut self, asked: &Asked, over_limit: Option<OverLimit>) {
        if let Some(over_limit) = over_limit
            && let Some(target) = self.target(asked)
        {
            events::over_limit(&target, over_limit.limit);
        }
    }

    /// The requirements that are acted on. One that is only quoted counts where the program itself added the origin.
    fn heard(&self, target: &Target, mut found: Vec<Found>) -> Vec<Found> {
        let hears_quoted = !self.answered_elsewhere
            && self
                .session
                .settings()
                .trust
                .is_added(target.origin().view());
        if !hears_quoted && found.iter().any(Found::is_quoted) {
            events::only_quoted(target);
            found.retain(|found| !found.is_quoted());
        }
        found
    }

    fn challenged(&self, refused: &Refused) {
        let Refused {
            asked,
            target,
            status,
            found,
            ..
        } = refused;
        count(&self.session.counters().challenges);
        events::challenged(target, &asked.method, *status, found, self.sent);
    }

    /// Why the request is not sent again, although it might be let in now.
    fn once(&self, refused: &Refused) -> Option<Refusal> {
        if !refused.replayable {
            Some(Refusal::NotReplayable)
        } else if self.options().login_only {
            Some(Refusal::LoginOnly)
        } else {
            None
        }
    }

    async fn satisfy(&mut self, refused: &mut Refused) -> Result<Issued, Refusal> {
        let settings = self.session.settings();
        // First, for of one that is only watched nobody knows what it presented.
        if !refused.replayable && !settings.login_for_unreplayable && !self.options().login_only {
            return Err(Refusal::NotReplayable);
        }
        if refused.presented == Presented::Other {
            return Err(Refusal::NotBearer);
        }
        if self.outcome().replays >= settings.max_replays {
            return Err(Refusal::Exhausted);
        }
        // One alone, as mostly, is what it is.
        let merged;
        let gares = match &refused.found[..] {
            [only] => slice::from_ref(&only.gare),
            all => {
                merged = coalesce(all.iter().map(|found| found.gare.clone()));
                &merged
            }
        };
        let (target, status) = (&refused.target, refused.status);
        let asked = &mut refused.asked;
        let slot = self.slot_for(target.identity());
        if let Some(dealings) = &mut self.dealings {
            dealings.pending = None;
        }
        loop {
            let (landing, flight) = match self.step(&slot, target.origin(), gares) {
                Step::Replay(issued) => return Ok(issued),
                Step::Stop(refusal) => return Err(refusal),
                Step::Renew => {
                    self.dealings().renewed = true;
                    match self.start_renewal(&slot, target, None) {
                        Ok(landing) => (landing, Flight::Renewal),
                        Err(_) => continue,
                    }
                }
                Step::WaitFor(landing) => {
                    events::waiting(target);
                    (landing, Flight::Another)
                }
                Step::Join {
                    requirement,
                    landing,
                } => {
                    count(&self.session.counters().joins);
                    events::joined(target);
                    // Once that is over there is no other to be asked for: what only a challenge
                    // would tell is let go of now, and not when it has long left the caches.
                    (asked.uri, asked.presented) = (Uri::default(), None);
                    (landing, Flight::Ours(requirement))
                }
                Step::Lead {
                    gare,
                    requirement,
                    landing,
                    beacon,
                } => {
                    let (method, uri) = (asked.method.clone(), asked.uri.clone());
                    let challenge = Challenge::of_request(target.clone(), gare, method, uri)
                        .answered(status, refused.found.clone());
                    self.log_in(&slot, challenge, beacon);
                    (landing, Flight::Ours(requirement))
                }
            };
            let landed = landing.ended().await;
            match flight {
                Flight::Renewal => {}
                Flight::Another => {
                    landed.map_err(Refusal::Failed)?;
                }
                Flight::Ours(requirement) => {
                    // A login that succeeds gives a credential; `None` cannot come here.
                    let issued = landed
                        .map_err(Refusal::Failed)?
                        .ok_or(Refusal::NoProgress)?;
                    let dealings = self.dealings();
                    dealings.outcome.logins += 1;
                    dealings.satisfied.push(requirement);
                    return Ok(issued);
                }
            }
        }
    }

    fn step(&mut self, slot: &Arc<Slot>, origin: &Origin, asked: &[Gare]) -> Step {
        let mut state = slot.lock();
        let settings = self.session.settings();
        // The refusal is about a credential that is no longer the current one.
        if let Some(issued) = state.newer_than(self.sent, origin) {
            return Step::Replay(issued);
        }
        // A login at another service may have given this one a better token too.
        if state.logged_in_since(self.sent)
            && !self.has_renewed()
            && !state.is_barren(origin.view(), Instant::now())
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
            let now = Instant::now();
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
                    requirement: Arc::clone(&login.requirement),
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
        let now = Instant::now();
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
        let (beacon, landing) = awaited();
        let requirement = Arc::new(gare.authorization_parameters.clone());
        state.take_off(Login {
            origin: origin.clone(),
            requirement: Arc::clone(&requirement),
            landing: landing.clone(),
        });
        Step::Lead {
            gare,
            requirement,
            landing,
            beacon,
        }
    }

    /// One silent renewal after a `401` that says nothing of a requirement.
    async fn renew_after_401(&mut self, refused: &Refused) -> Option<Issued> {
        if !self.minds(refused.status) || !refused.replayable || self.options().login_only {
            return None;
        }
        let target = &refused.target;
        let slot = Arc::clone(self.slot()?);
        self.dealings().renewed = true;
        let sent = slot.lock().current(target.origin());
        let sent = sent.filter(|issued| issued.generation == self.sent);
        let credential = sent.map(|issued| issued.credential);
        let renewal = self.renew(&slot, target, credential);
        let renewed = renewal.await.ok().flatten()?;
        (renewed.generation > self.sent).then_some(renewed)
    }

    fn replay(&mut self, issued: Issued) -> HeaderValue {
        self.sent = issued.generation;
        self.dealings().outcome.refusal = None;
        issued.credential.into_header_value()
    }
}
