//! One request under way, and what becomes of a response that challenges it. The tower layer and
//! the reqwest middleware both follow it; neither decides anything itself.

use std::future::Future;
use std::sync::Arc;

use http::{Extensions, HeaderValue, Method, Response, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

use super::account::{Account, Issued, Login};
use super::accounts::InUse;
use super::decide::{Challenged, Step, decide};
use super::inspect::may_ask;
use super::login::{log_in, look_up};
use super::origin::OriginRef;
use super::route::{Presented, RequestHead, principal};
use super::run::{self, Ended, Reporter};
use super::stats::count;
use super::{
    Challenge, GareOptions, GareOutcome, Origin, Refusal as GaveUp, Session, Target, events,
};
use crate::gare::{AuthorizationParameters, Detection, Found, Gare, coalesce};
use crate::runtime;

/// One request on its way through the layer.
pub(crate) struct Exchange {
    session: Session,
    method: Method,
    uri: Uri,
    /// The `Authorization` that the request came with.
    presented: Option<HeaderValue>,
    options: GareOptions,
    /// `None` while the request presents a credential that was never superseded.
    pub(super) account: Option<InUse>,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    /// In a box, since most requests are not challenged.
    progress: Option<Box<Progress>>,
}

/// What the challenges of one request have led to.
#[derive(Default)]
struct Progress {
    outcome: GareOutcome,
    /// The requirements of the logins that this request waited for.
    satisfied: Vec<Arc<AuthorizationParameters>>,
    /// When the request stops waiting.
    waits_until: Option<Instant>,
    looked_up: bool,
    waiting: Option<Waiting>,
}

/// What a request asks for once the login under way has ended: the next login may ask for it too.
struct Waiting {
    account: Arc<Account>,
    id: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.account.lock().forget_waiting(self.id);
    }
}

/// A response that may be a challenge.
pub(crate) struct AnswerHead<'a> {
    pub(crate) status: StatusCode,
    /// Where it came from, as far as the client told.
    pub(crate) sources: &'a [Uri],
}

pub(crate) enum Verdict {
    /// Send the request again, with this `Authorization`.
    Replay(HeaderValue),
    /// Give the response to the caller.
    Return,
}

impl Exchange {
    pub(super) fn new(
        session: Session,
        request: RequestHead<'_>,
        options: Option<&GareOptions>,
        account: Option<InUse>,
    ) -> Self {
        Self {
            session,
            method: request.method.clone(),
            uri: request.uri.clone(),
            presented: request.headers.get(http::header::AUTHORIZATION).cloned(),
            options: options.cloned().unwrap_or_default(),
            account,
            sent: 0,
            progress: None,
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Looks for the credential that the request is first sent with, or waits for the login or the
    /// look-up under way; whatever comes of it, the request is then sent with what there is.
    pub(crate) async fn credential(&mut self) -> Option<HeaderValue> {
        if runtime::is_in_login() {
            // The request was called elsewhere, but it is the login that waits for it.
            return None;
        }
        let (account, target) = (self.account.clone()?, self.target()?);
        let origin = target.origin();
        let login = account.account().lock().login(Instant::now()).cloned();
        let login = login.filter(|login| login.origin == *origin && !self.options.no_prompt);
        let running = match login {
            Some(login) => Ok(login.running),
            None => look_up(&self.session, &account, &target, self.sent, None),
        };
        if let Ok(running) = running {
            let _ = self.within_max_wait(running.ended()).await;
        }
        let state = account.account().lock();
        let issued = state.current(origin.view())?;
        self.sent = issued.generation;
        Some(issued.credential.header_value().clone())
    }

    /// Whether a response with this status can lead to a replay though it requires nothing.
    pub(crate) fn may_look_up(&self, status: StatusCode) -> bool {
        let looked_up = self.progress.as_ref().is_some_and(|it| it.looked_up);
        status == StatusCode::UNAUTHORIZED && self.account.is_some() && !looked_up
    }

    /// Whether a response may be a challenge, or lead to a look-up.
    pub(crate) fn may_follow<B: Body>(&self, response: &Response<B>, max_inspect: usize) -> bool {
        let status = response.status();
        !status.is_success()
            && (may_ask(&self.method, response, max_inspect) || self.may_look_up(status))
    }

    /// Whether a response that came from here is looked at. A relative URI, as some clients have
    /// after a redirect, names no origin that could be trusted.
    pub(crate) fn trusts(&mut self, sources: &[Uri]) -> bool {
        let trust = &self.session.settings().trust;
        let is_trusted = sources
            .iter()
            .all(|uri| OriginRef::of(uri).is_ok_and(|origin| trust.allows_view(origin)));
        if !is_trusted {
            self.give_up(GaveUp::Untrusted);
        }
        is_trusted
    }

    /// Decides about a response: obtains what it requires, and waits for it.
    pub(crate) async fn answered(
        &mut self,
        answer: AnswerHead<'_>,
        detection: Detection,
        replayable: bool,
    ) -> Verdict {
        let Some(target) = self.target().filter(|_| !runtime::is_in_login()) else {
            return Verdict::Return;
        };
        if let Some(over_limit) = &detection.over_limit {
            events::over_limit(&target, over_limit.limit);
        }
        let found = self.heard(&target, answer.sources, detection.found);
        let result = if found.is_empty() {
            match self
                .look_up_after_401(&target, answer.status, replayable)
                .await
            {
                Some(issued) => Ok(issued),
                None => return Verdict::Return,
            }
        } else {
            count(&self.session.counters().challenges);
            events::challenged(&target, &self.method, answer.status, &found, self.sent);
            let result = self
                .satisfy(&target, answer.status, &found, replayable)
                .await;
            self.progress().outcome.found = found;
            result.and_then(|issued| self.may_replay(replayable).map(|()| issued))
        };
        match result {
            Ok(issued) => {
                self.sent = issued.generation;
                self.progress().outcome.refusal = None;
                Verdict::Replay(issued.credential.into_header_value())
            }
            Err(reason) => {
                self.give_up(reason);
                Verdict::Return
            }
        }
    }

    /// Counts a replay that the adapter is about to send.
    pub(crate) fn replayed(&mut self) {
        count(&self.session.counters().replays);
        let replays = &mut self.progress().outcome.replays;
        *replays += 1;
        let replays = *replays;
        if let Some(target) = self.target() {
            events::replayed(&target, replays, self.sent);
        }
    }

    pub(crate) fn give_up(&mut self, reason: GaveUp) {
        self.session.counters().gave_up(&reason);
        if let Some(target) = self.target() {
            events::gave_up(&target, &reason);
        }
        let progress = self.progress();
        progress.waiting = None;
        progress.outcome.refusal = Some(reason);
    }

    /// Leaves the outcome with the response that the caller gets.
    pub(crate) fn finish(&mut self, status: StatusCode, extensions: &mut Extensions) {
        let outcome = self.progress.take().map(|progress| progress.outcome);
        let gave_up = outcome.as_ref().is_some_and(|it| it.refusal.is_some());
        if let Some(account) = &self.account
            && self.sent > 0
            && !gave_up
            && status != StatusCode::UNAUTHORIZED
        {
            account.account().lock().note_accepted(self.sent);
        }
        if let Some(outcome) = outcome
            && (gave_up || !outcome.found.is_empty() || outcome.replays > 0)
        {
            extensions.insert(outcome);
        }
    }

    fn target(&self) -> Option<Target> {
        let origin = Origin::of(&self.uri).ok()?;
        let principal = principal(self.options.identity.as_ref(), self.presented.as_ref());
        Some(Target::new(origin, principal))
    }

    /// The requirements that are acted on: a quoted one counts from an added origin alone.
    fn heard(&self, target: &Target, sources: &[Uri], mut found: Vec<Found>) -> Vec<Found> {
        let trust = &self.session.settings().trust;
        let hears_quoted = trust.is_added(target.origin().view())
            && sources
                .iter()
                .all(|uri| OriginRef::of(uri).is_ok_and(|origin| trust.is_added(origin)));
        if !hears_quoted && found.iter().any(Found::is_quoted) {
            events::only_quoted(target);
            found.retain(|found| !found.is_quoted());
        }
        found
    }

    /// Why the request is not sent again, although it might be accepted now.
    fn may_replay(&self, replayable: bool) -> Result<(), GaveUp> {
        if !replayable {
            Err(GaveUp::NotReplayable)
        } else if self.options.login_only {
            Err(GaveUp::LoginOnly)
        } else {
            Ok(())
        }
    }

    /// One look-up after a `401` that requires nothing.
    async fn look_up_after_401(
        &mut self,
        target: &Target,
        status: StatusCode,
        replayable: bool,
    ) -> Option<Issued> {
        if !self.may_look_up(status) || self.may_replay(replayable).is_err() {
            return None;
        }
        let account = self.account.clone()?;
        self.progress().looked_up = true;
        let rejected = {
            let state = account.account().lock();
            let current = state.current(target.origin().view());
            let rejected = current.filter(|issued| issued.generation == self.sent);
            rejected.map(|issued| issued.credential.clone())
        };
        let ended = match look_up(&self.session, &account, target, self.sent, rejected) {
            Ok(running) => self.within_max_wait(running.ended()).await?,
            Err(known) => known,
        };
        let issued = ended.ok().flatten()?;
        (issued.generation > self.sent).then_some(issued)
    }

    /// Obtains a credential that satisfies the requirement.
    async fn satisfy(
        &mut self,
        target: &Target,
        status: StatusCode,
        found: &[Found],
        replayable: bool,
    ) -> Result<Issued, GaveUp> {
        let settings = self.session.settings();
        let max_replays = settings.max_replays;
        if !replayable && !settings.login_for_unreplayable && !self.options.login_only {
            return Err(GaveUp::NotReplayable);
        }
        if Presented::of(self.presented.as_ref()) == Presented::Other {
            return Err(GaveUp::NotBearer);
        }
        if self.progress().outcome.replays >= max_replays {
            return Err(GaveUp::Exhausted);
        }
        let required = coalesce(found.iter().map(|found| found.gare.clone()));
        let account = match &self.account {
            Some(account) => account.clone(),
            None => {
                let account = self.session.accounts().find_or_make(target.identity());
                self.account.insert(account).clone()
            }
        };
        self.progress().waiting = None;
        loop {
            let (step, leading) = self.step(&account, target.origin(), &required);
            match step {
                Step::Replay(issued) => return Ok(issued),
                Step::NoProgress => return Err(GaveUp::NoProgress),
                Step::GiveUp(reason) => return Err(reason),
                Step::LookUp => {
                    self.progress().looked_up = true;
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
                Step::Lead(gare) => {
                    let Some((login, reporter)) = leading else {
                        continue;
                    };
                    let challenge = Challenge::of_request(
                        target.clone(),
                        gare,
                        self.method.clone(),
                        self.uri.clone(),
                    )
                    .answered(status, found.to_vec())
                    .at(self.progress().outcome.logins.saturating_add(1), self.sent);
                    log_in(&self.session, &account, login.clone(), challenge, reporter);
                    return self.wait_for(login).await;
                }
            }
        }
    }

    /// Decides, and puts down what was decided before another request decides.
    fn step(
        &mut self,
        account: &InUse,
        origin: &Origin,
        required: &[Gare],
    ) -> (Step, Option<(Login, Reporter)>) {
        let (settings, now) = (self.session.settings(), Instant::now());
        let progress = self.progress.get_or_insert_default();
        let request = Challenged {
            origin,
            required,
            options: &self.options,
            sent: self.sent,
            satisfied: &progress.satisfied,
            logins: progress.outcome.logins,
            looked_up: progress.looked_up,
        };
        let mut state = account.account().lock();
        let step = decide(&state, &request, settings, now);
        match &step {
            Step::NoProgress => {
                for gare in required {
                    let unmet = gare.authorization_parameters.clone();
                    state.note_unmet(unmet, now, settings.cool_down);
                }
                (step, None)
            }
            Step::Lead(gare) => {
                let (reporter, running) = run::begin(settings.flight_timeout);
                let login = Login {
                    origin: origin.clone(),
                    requirement: Arc::new(gare.authorization_parameters.clone()),
                    running,
                };
                state.begin_login(login.clone());
                (step, Some((login, reporter)))
            }
            _ => (step, None),
        }
    }

    /// Waits for a login that covers the requirement.
    async fn wait_for(&mut self, login: Login) -> Result<Issued, GaveUp> {
        let ended = self.wait(login.running.ended()).await?;
        // A login that succeeds gives a credential.
        let issued = ended.map_err(GaveUp::Failed)?.ok_or(GaveUp::NoProgress)?;
        let progress = self.progress();
        progress.outcome.logins += 1;
        progress.satisfied.push(login.requirement);
        Ok(issued)
    }

    async fn wait(&mut self, ended: impl Future<Output = Ended>) -> Result<Ended, GaveUp> {
        let ended = self.within_max_wait(ended).await;
        ended.ok_or(GaveUp::DeadlineElapsed)
    }

    /// `future`'s output, or `None` once this request has waited for as long as it may, in all.
    async fn within_max_wait<F: Future>(&mut self, future: F) -> Option<F::Output> {
        match self.waits_until() {
            Some(until) if runtime::has_timer() => runtime::timeout_at(until, future).await,
            _ => Some(future.await),
        }
    }

    fn waits_until(&mut self) -> Option<Instant> {
        let max_wait = self.options.deadline?;
        let waits_until = &mut self.progress().waits_until;
        if waits_until.is_none() {
            *waits_until = Instant::now().checked_add(max_wait);
        }
        *waits_until
    }

    fn remember_waiting(&mut self, account: &Arc<Account>, required: Gare) {
        let waiting = &mut self.progress().waiting;
        if waiting.is_none() {
            let id = account.lock().remember_waiting(required);
            *waiting = Some(Waiting {
                account: Arc::clone(account),
                id,
            });
        }
    }

    fn progress(&mut self) -> &mut Progress {
        self.progress.get_or_insert_default()
    }
}
