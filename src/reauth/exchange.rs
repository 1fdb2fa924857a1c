//! The state of one request, and what happens to its responses. The tower layer and the reqwest
//! middleware both use it; neither decides anything itself.

use std::future::Future;
use std::sync::Arc;

use http::{Extensions, HeaderValue, Method, StatusCode, Uri};
use tokio::time::Instant;

use super::account::Issued;
use super::accounts::InUse;
use super::login::look_up;
use super::origin::OriginRef;
use super::route::{Handled, principal};
use super::satisfy::Waiting;
use super::stats::count;
use super::{GareOptions, GareOutcome, GaveUp, Origin, Session, Target, events};
use crate::gare::{AuthorizationParameters, Detection, Found};
use crate::runtime;

/// A challenged request, or one that waits for its first credential.
pub(crate) struct Exchange {
    pub(super) session: Session,
    /// `None` while the request presents a credential that was never superseded.
    pub(super) account: Option<InUse>,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// `None` where the URI names no origin: nothing is decided about such a request.
    target: Option<Target>,
    /// The `Authorization` that the request came with.
    pub(super) presented: Option<HeaderValue>,
    pub(super) options: GareOptions,
    pub(super) outcome: GareOutcome,
    /// The requirements of the logins that this request waited for.
    pub(super) satisfied: Vec<Arc<AuthorizationParameters>>,
    /// When the request stops waiting.
    waits_until: Option<Instant>,
    pub(super) looked_up: bool,
    pub(super) waiting: Option<Waiting>,
}

/// A response that may be a challenge.
pub(crate) struct AnswerHead<'a> {
    pub(crate) status: StatusCode,
    /// The URIs that it came from, as far as the client recorded them.
    pub(crate) sources: &'a [Uri],
}

pub(crate) enum Verdict {
    /// Send the request again, with this `Authorization`.
    Replay(HeaderValue),
    /// Give the response to the caller.
    Return,
}

impl Exchange {
    /// `presented` is the `Authorization` that the request came with.
    pub(crate) fn new(
        handled: Handled,
        (method, uri): (&Method, Uri),
        presented: Option<&HeaderValue>,
        extensions: &Extensions,
    ) -> Self {
        let options = extensions.get::<GareOptions>().cloned().unwrap_or_default();
        let target = Origin::of(&uri).ok().map(|origin| {
            let principal = principal(options.principal.as_ref(), presented);
            Target::new(origin, principal)
        });
        Self {
            session: handled.session,
            account: handled.account,
            sent: handled.sent,
            method: method.clone(),
            uri,
            target,
            presented: presented.cloned(),
            options,
            outcome: GareOutcome::default(),
            satisfied: Vec::new(),
            waits_until: None,
            looked_up: false,
            waiting: None,
        }
    }

    /// Looks for the credential that the request is first sent with, or waits for the login or the
    /// look-up under way; whatever comes of it, the request is then sent with what there is.
    pub(crate) async fn credential(&mut self) -> Option<HeaderValue> {
        if runtime::is_in_login() {
            // The request was called elsewhere, but it is the login that waits for it.
            return None;
        }
        let (account, target) = (self.account.clone()?, self.target.clone()?);
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

    /// Whether a response with this status and without a requirement may lead to a look-up.
    pub(crate) fn may_look_up(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED && self.account.is_some() && !self.looked_up
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

    /// Decides about a response; obtains a credential that satisfies it.
    pub(crate) async fn answered(
        &mut self,
        answer: AnswerHead<'_>,
        detection: Detection,
        replayable: bool,
    ) -> Verdict {
        let Some(target) = self.target.clone().filter(|_| !runtime::is_in_login()) else {
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
            self.outcome.found = found;
            result.and_then(|issued| self.may_replay(replayable).map(|()| issued))
        };
        match result {
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

    /// Counts a replay that the adapter is about to send.
    pub(crate) fn replayed(&mut self) {
        count(&self.session.counters().replays);
        self.outcome.replays += 1;
        if let Some(target) = &self.target {
            events::replayed(target, self.outcome.replays, self.sent);
        }
    }

    pub(crate) fn give_up(&mut self, reason: GaveUp) {
        self.session.counters().gave_up(&reason);
        if let Some(target) = &self.target {
            events::gave_up(target, &reason);
        }
        self.waiting = None;
        self.outcome.gave_up = Some(reason);
    }

    /// Puts the outcome into the extensions of the caller's response.
    pub(crate) fn finish(self, status: StatusCode, extensions: &mut Extensions) {
        let gave_up = self.outcome.gave_up.is_some();
        if let Some(account) = &self.account
            && self.sent > 0
            && !gave_up
            && status != StatusCode::UNAUTHORIZED
        {
            account.account().lock().note_accepted(self.sent);
        }
        if gave_up || !self.outcome.found.is_empty() || self.outcome.replays > 0 {
            extensions.insert(self.outcome);
        }
    }

    /// The requirements that count. A quoted one counts only from an origin that the program added.
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
        self.looked_up = true;
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

    /// `future`'s output, or `None` once this request has waited for as long as it may, in all.
    pub(super) async fn within_max_wait<F: Future>(&mut self, future: F) -> Option<F::Output> {
        match self.waits_until() {
            Some(until) if runtime::has_timer() => runtime::timeout_at(until, future).await,
            _ => Some(future.await),
        }
    }

    fn waits_until(&mut self) -> Option<Instant> {
        let max_wait = self.options.max_wait?;
        let waits_until = &mut self.waits_until;
        if waits_until.is_none() {
            *waits_until = Instant::now().checked_add(max_wait);
        }
        *waits_until
    }
}
