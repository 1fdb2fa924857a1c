//! The state of one request, and the decisions about its responses. The tower layer and the reqwest
//! middleware both use it; neither decides anything itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::time::Instant;

use super::account::Issued;
use super::accounts::InUse;
use super::collections::{claimed, is_login, required};
use super::events::EventKind;
use super::login::look_up;
use super::origin::OriginRef;
use super::requirement::Requirement;
use super::route::{Handled, is_accepted, is_unauthenticated, principal};
use super::satisfy::Waiting;
use super::target::Audience;
use super::trust::TrustedAs;
use super::unmet::Place;
use super::{GareOptions, GareOutcome, GaveUp, Origin, Session, Target, Why};
use crate::gare::{Detection, Found, Gare};
use crate::runtime;

/// How much longer than a login a request waits by default, so that it gets the login's result.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// A challenged request, or one that waits for its first credential.
pub(crate) struct Exchange {
    pub(super) session: Session,
    /// `None` while the request presents a credential that no login has replaced.
    pub(super) account: Option<InUse>,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// `None` if the URI names no origin. Such a request starts nothing.
    pub(super) target: Option<Target>,
    /// The `Authorization` that the request came with.
    pub(super) presented: Option<HeaderValue>,
    pub(super) options: GareOptions,
    pub(super) outcome: GareOutcome,
    /// The status of the challenge.
    pub(super) status: StatusCode,
    /// Whether the request carries the session's credential, or none.
    is_ours: bool,
    /// Whether the server may redirect the request to a login.
    may_redirect: bool,
    /// The epoch of the account when the request got its credential.
    pub(super) epoch: u64,
    /// The requirements that the request was challenged with.
    pub(super) challenged_for: Vec<Arc<Requirement>>,
    /// The results of `approve` for each requirement.
    pub(super) approved: Vec<(Requirement, Option<Gare>)>,
    /// The requirements of the logins before the replays of this request.
    pub(super) satisfied: Vec<Arc<Requirement>>,
    /// The requirements of the look-ups that this request made.
    pub(super) looked_up: Vec<Arc<Requirement>>,
    /// How long the request has waited for logins and look-ups.
    waited: Duration,
    pub(super) waiting: Option<Waiting>,
}

/// A response that may be a challenge.
pub(crate) struct AnswerHead<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    /// The URIs that the response came from, as far as the client recorded them.
    pub(crate) sources: &'a [Uri],
}

pub(crate) enum Verdict {
    /// Replay the request with this `Authorization`.
    Replay(HeaderValue),
    /// Return the response to the caller.
    Return,
}

impl Exchange {
    /// `presented` is the `Authorization` that the request came with.
    pub(crate) fn new(
        handled: Handled,
        (method, uri): (&Method, Uri),
        presented: Option<&HeaderValue>,
        options: &GareOptions,
    ) -> Self {
        let principal = match &handled.account {
            Some(account) => account.account().principal.clone(),
            None => principal(handled.name.as_ref(), presented),
        };
        let audience = Origin::of(&uri).ok().map(|origin| Audience {
            origin,
            resource_server: handled.resource_server,
        });
        let target = audience.map(|audience| handled.session.target(audience, principal));
        Self {
            session: handled.session,
            account: handled.account,
            sent: handled.sent,
            method: method.clone(),
            uri,
            target,
            presented: presented.cloned(),
            options: options.clone(),
            outcome: GareOutcome::default(),
            status: StatusCode::OK,
            is_ours: handled.is_ours,
            may_redirect: handled.may_redirect,
            epoch: handled.epoch,
            challenged_for: Vec::new(),
            approved: Vec::new(),
            satisfied: Vec::new(),
            looked_up: Vec::new(),
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The credential that the request is first sent with. Waits for a look-up or, if there is no
    /// credential yet, for the login under way. If that brings none, an expired one is sent, or
    /// none.
    pub(crate) async fn credential(&mut self) -> Option<HeaderValue> {
        if runtime::login_of().is_some() {
            // A login polls this future, so the request must not wait for a login.
            return None;
        }
        let account = self.account.clone()?;
        let audience = self.target.as_ref()?.audience().clone();
        let held = account.account().lock().current(audience.view()).cloned();
        if let Some(held) = &held {
            let _ = self.verify_again(&held.credential).await;
        }
        let why = match held {
            None => Some(Why::Initial),
            Some(held) => held.credential.is_expired().then_some(Why::Expired),
        };
        if let (Some(why), Some(target)) = (why, self.target.clone()) {
            self.look_for_any(&account, &target, why).await;
        }
        let state = account
            .account()
            .lock_current(self.session.reauthenticator());
        self.epoch = state.epoch();
        let issued = state.current(audience.view())?;
        let unverified = self
            .session
            .to_be_verified(audience.origin.view(), &issued.credential);
        if unverified.is_some() {
            return None;
        }
        self.sent = issued.generation;
        self.is_ours = true;
        Some(issued.credential.header_value().clone())
    }

    /// Waits for a look-up. Without any credential, waits for the login under way instead.
    async fn look_for_any(&mut self, account: &InUse, target: &Target, why: Why) {
        if matches!(why, Why::Initial) && !self.options.no_prompt {
            let login = account.account().lock().login(Instant::now()).cloned();
            if let Some(login) = login.filter(|login| login.audience == *target.audience()) {
                let _ = self.within_max_wait(login.running.ended()).await;
                return;
            }
        }
        let Some(running) = look_up(&self.session, account, target, self.sent, why) else {
            return;
        };
        let limit = self.session.settings().refresh_timeout;
        let ended = self.within_max_wait(running.ended_within(limit)).await;
        let found_none = match ended.flatten() {
            Some(Err(error)) => !error.is_unavailable(),
            Some(Ok(found)) => found.is_none(),
            None => false,
        };
        if found_none {
            // One request makes this look-up once.
            self.looked_up.push(Arc::new(Requirement::AnyCredential));
        }
    }

    /// Whether the head of the response alone makes it a challenge: a plain `401`, or a redirect to
    /// a login.
    pub(crate) fn may_ask_without_body(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.may_ask_for_any(status, headers) || self.claimed(status, headers).is_some()
    }

    fn may_ask_for_any(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.is_ours && is_unauthenticated(status, headers)
    }

    /// The collection that the server claims to belong to, if it redirects the request to a login.
    fn claimed(&self, status: StatusCode, headers: &HeaderMap) -> Option<String> {
        let trust = &self.session.settings().trust;
        self.may_redirect
            .then(|| claimed(trust, status, headers))
            .flatten()
    }

    /// Whether the client followed a redirect to a login page.
    pub(crate) fn is_at_login(&self, sources: &[Uri]) -> bool {
        let trust = &self.session.settings().trust;
        self.may_redirect && sources.iter().any(|uri| is_login(trust, uri))
    }

    /// Whether all origins that a response came from are trusted. A relative URI, which some
    /// clients record after a redirect, names no origin.
    pub(crate) fn trusts(&self, sources: &[Uri]) -> bool {
        let trust = &self.session.settings().trust;
        let mut origins = sources.iter().map(OriginRef::of);
        origins.all(|origin| origin.is_ok_and(|origin| trust.allows_view(origin)))
    }

    /// Decides about a response. If it is a challenge, obtains a credential that satisfies it.
    pub(crate) async fn answered(
        &mut self,
        answer: AnswerHead<'_>,
        detection: Detection,
        replayable: bool,
    ) -> Verdict {
        let Some(target) = self
            .target
            .clone()
            .filter(|_| runtime::login_of().is_none())
        else {
            return Verdict::Return;
        };
        if let Some(over_limit) = &detection.over_limit {
            let (target, limit) = (&target, over_limit.limit);
            self.session.emit(target, EventKind::OverLimit { limit });
        }
        let mut found = self.without_quoted(&target, answer.sources, detection.found);
        let claimed = self.claimed(answer.status, answer.headers);
        if let Some(collection) = &claimed {
            let had_credential = self.sent > 0 || self.presented.is_some();
            found = vec![required(collection, had_credential)];
        } else if found.is_empty() && !self.may_ask_for_any(answer.status, answer.headers) {
            return Verdict::Return;
        }
        self.session.counters().lock().challenges += 1;
        let challenged = EventKind::Challenged {
            method: &self.method,
            status: answer.status,
            found: &found,
            generation: self.sent,
        };
        self.session.emit(&target, challenged);
        self.status = answer.status;
        self.outcome.found = found;
        match self.obtain(target, claimed, replayable).await {
            Ok(issued) => {
                self.sent = issued.generation;
                self.outcome.gave_up = None;
                Verdict::Replay(issued.credential.into_header_value())
            }
            Err(reason) => {
                self.give_up(reason);
                Verdict::Return
            }
        }
    }

    /// Obtains a credential that the request may be replayed with.
    async fn obtain(
        &mut self,
        target: Target,
        claimed: Option<String>,
        replayable: bool,
    ) -> Result<Issued, GaveUp> {
        let target = self.verified(target, claimed).await?;
        let issued = self.satisfy(&target, replayable).await?;
        if !replayable {
            return Err(GaveUp::NotReplayable);
        }
        if self.options.login_only {
            return Err(GaveUp::LoginOnly);
        }
        self.verify_again(&issued.credential).await?;
        Ok(issued)
    }

    /// Emits an event for a response that may be a challenge and is not inspected.
    pub(crate) fn not_inspected(&self, status: StatusCode, reason: &'static str) {
        if let Some(target) = &self.target {
            let kind = EventKind::NotInspected { status, reason };
            self.session.emit(target, kind);
        }
    }

    /// Counts a replay that the adapter is about to send.
    pub(crate) fn replayed(&mut self) {
        self.session.counters().lock().replays += 1;
        self.outcome.replays += 1;
        if let Some(target) = &self.target {
            let (replays, generation) = (self.outcome.replays, self.sent);
            let kind = EventKind::Replayed {
                replays,
                generation,
            };
            self.session.emit(target, kind);
        }
    }

    pub(crate) fn give_up(&mut self, reason: GaveUp) {
        self.session.counters().gave_up(&reason);
        if let Some(target) = &self.target {
            let reason = &reason;
            self.session.emit(target, EventKind::GaveUp { reason });
        }
        self.waiting = None;
        self.outcome.gave_up = Some(reason);
    }

    /// Puts the outcome into the extensions of the caller's response.
    pub(crate) fn finish(self, status: StatusCode, extensions: &mut Extensions) {
        let gave_up = self.outcome.gave_up.is_some();
        if let Some(account) = &self.account
            && is_accepted(status)
            && !gave_up
        {
            let mut state = account.account().lock();
            if state.epoch() == self.epoch {
                state.note_accepted(self.sent, self.uri.path());
                if let Some(target) = self.target.as_ref().filter(|_| self.outcome.replays > 0) {
                    let place = Place::new(target.audience(), &self.uri);
                    state.note_met(&place, &self.challenged_for);
                }
            }
        }
        if gave_up || !self.outcome.found.is_empty() || self.outcome.replays > 0 {
            extensions.insert(self.outcome);
        }
    }

    /// Drops quoted requirements, unless they came from an origin that the program added.
    fn without_quoted(
        &self,
        target: &Target,
        sources: &[Uri],
        mut found: Vec<Found>,
    ) -> Vec<Found> {
        let trust = &self.session.settings().trust;
        let is_added = |origin| trust.trusted_as(origin) == Some(TrustedAs::Added);
        let came_from_added = |uri| OriginRef::of(uri).is_ok_and(is_added);
        let is_added = is_added(target.origin().view()) && sources.iter().all(came_from_added);
        if !is_added && found.iter().any(Found::is_quoted) {
            self.session.emit(target, EventKind::OnlyQuoted);
            found.retain(|found| !found.is_quoted());
        }
        found
    }

    /// `future`'s output, or `None` once this request has waited for `max_wait` in all.
    pub(super) async fn within_max_wait<F: Future>(&mut self, future: F) -> Option<F::Output> {
        if !runtime::has_timer() {
            return Some(future.await);
        }
        let login_timeout = self.session.settings().login_timeout;
        let max_wait = self.options.max_wait;
        let max_wait = max_wait.unwrap_or_else(|| login_timeout.saturating_add(LAST_MOMENT));
        let began = Instant::now();
        let output = runtime::timeout(max_wait.saturating_sub(self.waited), future).await;
        self.waited += began.elapsed();
        output
    }
}
