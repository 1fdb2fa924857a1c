//! The course of one request: what it is sent with, and what becomes of an
//! answer that asks for something. The tower service and the reqwest
//! middleware both follow it; neither decides anything itself.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::sync::watch;
use tokio::time::Instant;

use super::requirement::covers;
use super::slot::{Issued, Landed, Landing, Login, Seat, Slot};
use super::stats::count;
use super::{
    AnsweredBy, Challenge, Credential, GareOptions, GareOutcome, Identity, Origin, ReauthError, Refusal, Session,
    Target,
};
use super::{events, flight};
use crate::gare::{AuthorizationParameters, Found, Gare, coalesce};
use crate::runtime;

/// How a request goes through the layer.
pub(crate) enum Course {
    /// As if there were no layer.
    Aside,
    /// To an origin that is not trusted: only told, never acted on.
    Untrusted,
    /// With a credential, and its answer looked at.
    Through(Box<Exchange>),
}

/// One request on its way through the layer.
pub(crate) struct Exchange {
    session: Session,
    /// None where the request presents a credential that was never superseded.
    seat: Option<Seat>,
    target: Target,
    options: GareOptions,
    method: Method,
    uri: Uri,
    presented: Presented,
    /// The generation that the request was last sent with.
    sent: u64,
    /// What logins that this request waited for were asked to satisfy.
    satisfied: Vec<AuthorizationParameters>,
    outcome: GareOutcome,
    waits_until: Option<Instant>,
    /// Whether a silent renewal was tried for a challenge of this request.
    renewed: bool,
    pending: Option<Pending>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presented {
    Nothing,
    Bearer,
    Other,
}

/// What this request will ask for once the login under way is over.
struct Pending {
    slot: Arc<Slot>,
    id: u64,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.slot.lock().forget(self.id);
    }
}

/// What to do about a challenge, decided under the slot's lock.
enum Step {
    Replay(Issued),
    Renew,
    Lead { gare: Gare, landing: Landing, landed: watch::Sender<Option<Landed>> },
    Join { requirement: AuthorizationParameters, landing: Landing },
    WaitFor(Landing),
    Stop(Refusal),
}

impl Session {
    /// Begins the course of a request. Nothing waits here.
    pub(crate) fn begin(&self, method: &Method, uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Course {
        let options = extensions.get::<GareOptions>().cloned().unwrap_or_default();
        if options.never || runtime::is_aboard() {
            return Course::Aside;
        }
        let origin = match Origin::of(uri) {
            Ok(origin) if self.settings().trust.allows(&origin) => origin,
            _ => return Course::Untrusted,
        };
        let value = headers.get(AUTHORIZATION);
        let presented = match value {
            None => Presented::Nothing,
            Some(value) if is_bearer(value) => Presented::Bearer,
            Some(_) => Presented::Other,
        };
        let identity = match (&options.identity, value) {
            (Some(name), _) => Identity::Named(Arc::clone(name)),
            (None, Some(value)) => Identity::Presented(Credential::from_header_value(value.clone())),
            (None, None) => Identity::Session,
        };
        let seat = match presented {
            Presented::Nothing => Some(self.identities().find_or_make(&identity)),
            _ => self.identities().find(&identity),
        };
        Course::Through(Box::new(Exchange {
            session: self.clone(),
            seat,
            target: Target::new(origin, identity),
            options,
            method: method.clone(),
            uri: uri.clone(),
            presented,
            sent: 0,
            satisfied: Vec::new(),
            outcome: GareOutcome::default(),
            waits_until: None,
            renewed: false,
            pending: None,
        }))
    }

    /// The outcome of an answer from an origin that is not trusted.
    pub(crate) fn untrusted(&self) -> GareOutcome {
        self.counters().refused(&Refusal::Untrusted);
        GareOutcome { refusal: Some(Refusal::Untrusted), ..GareOutcome::default() }
    }
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

impl Exchange {
    /// The header to send, if that is known without waiting: `Some(None)` sends
    /// the request as it came, `None` asks for [`prepare`](Self::prepare).
    pub(crate) fn ready(&mut self) -> Option<Option<HeaderValue>> {
        let Some(seat) = &self.seat else { return Some(None) };
        if self.presented == Presented::Other {
            return Some(None);
        }
        let state = seat.slot().lock();
        let origin = self.target.origin();
        let leeway = self.session.settings().expiry_leeway;
        match state.current(origin) {
            Some(issued) if !issued.credential.is_expired(leeway) || state.is_barren(origin, Instant::now()) => {
                self.sent = issued.generation;
                Some(Some(issued.credential.header_value().clone()))
            }
            Some(_) => None,
            None if self.presented == Presented::Bearer => Some(None),
            None if state.is_barren(origin, Instant::now()) => Some(None),
            None => None,
        }
    }

    /// Renews the credential, or waits for whoever does, and gives the header to send.
    pub(crate) async fn prepare(mut self: Box<Self>) -> (Box<Self>, Option<HeaderValue>) {
        if let Some(slot) = self.seat.as_ref().map(|seat| Arc::clone(seat.slot())) {
            let login = match slot.lock().login() {
                Some(login) if login.origin == *self.target.origin() && !self.options.no_prompt => {
                    Some(login.landing.clone())
                }
                _ => None,
            };
            // Whatever comes of it, the request is sent with what there is then.
            let until = self.waits_until();
            let _ = match login {
                Some(landing) => before(until, landing_of(landing)).await,
                None => before(until, self.renew(&slot)).await,
            };
            let current = slot.lock().current(self.target.origin()).cloned();
            if let Some(issued) = current {
                self.sent = issued.generation;
                return (self, Some(issued.credential.header_value().clone()));
            }
        }
        (self, None)
    }

    /// What an answer asks for, and the header to replay with if it could be had.
    pub(crate) async fn decide(
        mut self: Box<Self>,
        status: StatusCode,
        found: Vec<Found>,
        replayable: bool,
    ) -> (Box<Self>, Option<HeaderValue>) {
        let until = self.waits_until();
        if found.is_empty() {
            let renewed = before(until, self.renew_after_401(status, replayable)).await;
            let header = renewed.flatten().map(|issued| self.replay(&issued));
            return (self, header);
        }
        count(&self.session.counters().challenges);
        events::challenged(&self.target, &self.method, status, &found, self.sent);
        self.outcome.found = found;
        let answer = match before(until, self.satisfy(status, replayable)).await {
            Some(answer) => answer,
            None => Err(Refusal::DeadlineElapsed),
        };
        let once = if !replayable {
            Some(Refusal::NotReplayable)
        } else if self.options.login_only {
            Some(Refusal::LoginOnly)
        } else {
            None
        };
        match (answer, once) {
            (Ok(issued), None) => {
                let header = self.replay(&issued);
                (self, Some(header))
            }
            (Ok(_), Some(refusal)) | (Err(refusal), _) => {
                self.refuse(refusal);
                (self, None)
            }
        }
    }

    /// Whether an answer with this status can lead to anything without a requirement in it.
    pub(crate) fn minds(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED && self.seat.is_some() && !self.renewed
    }

    /// Whether the answer came from an origin that is listened to. A relative
    /// URI, as some clients have after a redirect, tells nothing to be believed.
    pub(crate) fn hears(&mut self, answer: &Extensions) -> bool {
        let Some(uri) = AnsweredBy::told(answer) else { return true };
        let trust = &self.session.settings().trust;
        let trusted = Origin::of(uri).is_ok_and(|origin| trust.allows(&origin));
        if !trusted {
            self.refuse(Refusal::Untrusted);
        }
        trusted
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Leaves the outcome with the response that the caller gets.
    pub(crate) fn finish(self: Box<Self>, extensions: &mut Extensions) {
        let outcome = self.outcome;
        if !outcome.found.is_empty() || outcome.replays > 0 || outcome.refusal.is_some() {
            extensions.insert(outcome);
        }
    }

    async fn satisfy(&mut self, status: StatusCode, replayable: bool) -> Result<Issued, Refusal> {
        let settings = self.session.settings();
        if self.presented == Presented::Other {
            return Err(Refusal::NotBearer);
        }
        if !replayable && !settings.login_for_unreplayable && !self.options.login_only {
            return Err(Refusal::NotReplayable);
        }
        if self.outcome.replays >= settings.max_replays {
            return Err(Refusal::Exhausted);
        }
        let asked = coalesce(self.outcome.found.iter().map(|found| found.gare.clone()));
        let (session, identity) = (&self.session, self.target.identity());
        let seat = self.seat.get_or_insert_with(|| session.identities().find_or_make(identity));
        let slot = Arc::clone(seat.slot());
        self.pending = None;
        loop {
            match self.step(&slot, &asked) {
                Step::Replay(issued) => return Ok(issued),
                Step::Stop(refusal) => return Err(refusal),
                Step::Renew => {
                    self.renewed = true;
                    let _ = self.renew(&slot).await;
                }
                Step::WaitFor(landing) => {
                    landing_of(landing).await.map_err(Refusal::Failed)?;
                }
                Step::Join { requirement, landing } => {
                    count(&self.session.counters().joins);
                    events::joined(&self.target);
                    return self.logged_in(requirement, landing).await;
                }
                Step::Lead { gare, landing, landed } => {
                    let requirement = gare.authorization_parameters.clone();
                    self.log_in(&slot, gare, status, landed);
                    return self.logged_in(requirement, landing).await;
                }
            }
        }
    }

    /// Waits for a login that satisfies this request's requirement.
    async fn logged_in(&mut self, requirement: AuthorizationParameters, landing: Landing) -> Result<Issued, Refusal> {
        match landing_of(landing).await {
            Ok(Some(issued)) => {
                self.outcome.logins += 1;
                self.satisfied.push(requirement);
                Ok(issued)
            }
            // A login that succeeds gives a credential; `None` cannot come here.
            Ok(None) => Err(Refusal::NoProgress),
            Err(error) => Err(Refusal::Failed(error)),
        }
    }

    fn step(&mut self, slot: &Arc<Slot>, asked: &[Gare]) -> Step {
        let mut state = slot.lock();
        let origin = self.target.origin();
        let settings = self.session.settings();
        let now = Instant::now();
        // The refusal is about a credential that is no longer the current one.
        if let Some(issued) = state.newer_than(self.sent, origin) {
            return Step::Replay(issued);
        }
        // A login at another service may have given this one a better token too.
        if state.logged_in_since(self.sent) && !self.renewed && !state.is_barren(origin, now) {
            return Step::Renew;
        }
        let is_new = |gare: &&Gare| {
            let parameters = &gare.authorization_parameters;
            !self.satisfied.iter().any(|given| covers(given, parameters))
        };
        let Some(gare) = asked.iter().find(is_new) else {
            let until = now + settings.cool_down;
            asked.iter().for_each(|gare| state.note_futile(gare.authorization_parameters.clone(), now, until));
            return Step::Stop(Refusal::NoProgress);
        };
        if self.options.no_prompt {
            return Step::Stop(Refusal::NoPrompt);
        }
        let spent = self.outcome.logins >= settings.max_logins;
        if let Some(login) = state.login() {
            let landing = login.landing.clone();
            let covered = login.origin == *origin && covers(&login.requirement, &gare.authorization_parameters);
            if covered && spent {
                return Step::Stop(Refusal::Exhausted);
            }
            if covered {
                return Step::Join { requirement: login.requirement.clone(), landing };
            }
            if self.pending.is_none() {
                let id = state.remember(gare.clone());
                self.pending = Some(Pending { slot: Arc::clone(slot), id });
            }
            return Step::WaitFor(landing);
        }
        if state.is_futile(&gare.authorization_parameters, now) {
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
        Step::Lead { gare, landing, landed }
    }

    /// Starts the login that [`step`](Self::step) has put down as under way.
    fn log_in(&self, slot: &Arc<Slot>, gare: Gare, status: StatusCode, landed: watch::Sender<Option<Landed>>) {
        let (session, slot, target) = (self.session.clone(), Arc::clone(slot), self.target.clone());
        let challenge = Challenge::of_request(target.clone(), gare, self.method.clone(), self.uri.clone())
            .answered(status, self.outcome.found.clone())
            .at(self.outcome.logins.saturating_add(1), self.sent);
        count(&session.counters().logins);
        events::logging_in(&target, challenge.attempt());
        let reauthenticator = session.reauthenticator();
        let work = async move { reauthenticator.reauthenticate(&challenge).await };
        flight::launch(self.session.settings().flight_timeout, landed, work, move |result| {
            let settings = session.settings();
            let until = Instant::now() + settings.cool_down;
            let landed = slot.lock().land_login(target.origin().clone(), result, until, settings.max_origins);
            match &landed {
                Ok(Some(issued)) => session.identities().note_issued(&slot, &issued.credential),
                Ok(None) => {}
                Err(_) => count(&session.counters().failed_logins),
            }
            events::landed(&target, &landed);
            landed
        });
    }

    /// One silent renewal after a `401` that says nothing of a requirement.
    async fn renew_after_401(&mut self, status: StatusCode, replayable: bool) -> Option<Issued> {
        if !self.minds(status) || !replayable || self.options.login_only {
            return None;
        }
        let slot = Arc::clone(self.seat.as_ref()?.slot());
        self.renewed = true;
        let newer = slot.lock().newer_than(self.sent, self.target.origin());
        if newer.is_some() {
            return newer;
        }
        let renewed = self.renew(&slot).await.ok().flatten()?;
        (renewed.generation > self.sent).then_some(renewed)
    }

    /// Runs `Reauthenticator::credential` for the target, or joins who does.
    async fn renew(&self, slot: &Arc<Slot>) -> Landed {
        let origin = self.target.origin();
        let (landing, launch) = {
            let mut state = slot.lock();
            match state.renewal(origin) {
                Some(landing) => (landing, None),
                None => {
                    let (landed, landing) = watch::channel(None);
                    let began = state.current(origin).map_or(0, |issued| issued.generation);
                    state.take_off_renewal(origin.clone(), landing.clone());
                    (landing, Some((landed, began)))
                }
            }
        };
        if let Some((landed, began)) = launch {
            let (session, slot, target) = (self.session.clone(), Arc::clone(slot), self.target.clone());
            count(&session.counters().renewals);
            let (reauthenticator, wanted) = (session.reauthenticator(), target.clone());
            let work = async move { reauthenticator.credential(&wanted).await };
            flight::launch(self.session.settings().flight_timeout, landed, work, move |result| {
                let settings = session.settings();
                let until = Instant::now() + settings.cool_down;
                let landed =
                    slot.lock().land_renewal(target.origin().clone(), began, result, until, settings.max_origins);
                if let Ok(Some(issued)) = &landed {
                    session.identities().note_issued(&slot, &issued.credential);
                }
                landed
            });
        }
        landing_of(landing).await
    }

    fn replay(&mut self, issued: &Issued) -> HeaderValue {
        self.sent = issued.generation;
        self.outcome.replays += 1;
        self.outcome.refusal = None;
        count(&self.session.counters().replays);
        events::replayed(&self.target, self.outcome.replays, issued.generation);
        issued.credential.header_value().clone()
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.session.counters().refused(&refusal);
        events::gave_up(&self.target, &refusal);
        self.pending = None;
        self.outcome.refusal = Some(refusal);
    }

    /// When this request stops waiting: its deadline counts from its first wait.
    fn waits_until(&mut self) -> Option<Instant> {
        let deadline = self.options.deadline?;
        if self.waits_until.is_none() {
            self.waits_until = Instant::now().checked_add(deadline);
        }
        self.waits_until
    }
}

async fn landing_of(mut landing: Landing) -> Landed {
    match landing.wait_for(Option::is_some).await {
        Ok(landed) => landed.clone().unwrap_or(Ok(None)),
        // A flight always lands before its end of the channel is dropped.
        Err(_closed) => Err(ReauthError::no_runtime()),
    }
}

async fn before<F: Future>(until: Option<Instant>, future: F) -> Option<F::Output> {
    match until {
        None => Some(future.await),
        Some(until) => runtime::timeout_at(until, future).await,
    }
}
