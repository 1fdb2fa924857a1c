//! One request under way: what it was sent with, and what becomes of an
//! answer that asks for something. The tower service and the reqwest
//! middleware both follow it; neither decides anything itself.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::time::Instant;

use super::asked::Asked;
use super::events;
use super::origin::OriginRef;
use super::slot::{Seat, Slot};
use super::stats::count;
use super::{
    AnsweredBy, GareOptions, GareOutcome, Identity, Refusal, Session, Target, UsualHeaders,
};
use crate::gare::AuthorizationParameters;
use crate::runtime;

/// One request on its way through the layer.
///
/// Each has one that may have to wait or to be sent again, and most never hear of it again: it is kept small, and made
/// without an allocation. What was asked, and with which credential, stays with the adapter, which has it anyway, until an answer makes it matter.
pub(crate) struct Exchange {
    pub(super) session: Session,
    pub(super) holder: Holder,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    /// Whether the last answer came from an origin that the program did not add itself.
    pub(super) answered_elsewhere: bool,
    /// What it asks of the layer, and what its answers have led to; none where all is as usual.
    pub(super) dealings: Option<Box<Dealings>>,
}

/// Whose credential a request is sent with.
pub(super) enum Holder {
    /// The one that it presents, which was never superseded.
    Nobody,
    /// The session's own, which is never forgotten.
    Own,
    Other(Seat),
}

impl From<Option<Seat>> for Holder {
    fn from(seat: Option<Seat>) -> Self {
        seat.map_or(Self::Nobody, Self::Other)
    }
}

/// What one request asks of the layer, and what its answers have led to.
#[derive(Default)]
pub(super) struct Dealings {
    pub(super) options: GareOptions,
    /// Known once the session has to do something.
    pub(super) target: Option<Target>,
    /// What logins that this request waited for were asked to satisfy.
    pub(super) satisfied: Vec<Arc<AuthorizationParameters>>,
    pub(super) outcome: GareOutcome,
    pub(super) waits_until: Option<Instant>,
    /// Whether a silent renewal was tried for a challenge of this request.
    pub(super) renewed: bool,
    pub(super) pending: Option<Pending>,
}

impl Dealings {
    #[cold]
    fn with(options: &GareOptions) -> Box<Self> {
        Box::new(Self {
            options: options.clone(),
            ..Self::default()
        })
    }
}

/// What this request will ask for once the login under way is over.
pub(super) struct Pending {
    pub(super) slot: Arc<Slot>,
    pub(super) id: u64,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.slot.lock().forget(self.id);
    }
}

impl Exchange {
    #[inline]
    pub(super) fn new(session: Session, options: Option<&GareOptions>) -> Self {
        Self {
            session,
            holder: Holder::Nobody,
            sent: 0,
            answered_elsewhere: false,
            dealings: options.map(Dealings::with),
        }
    }

    /// What the session remembers of whoever's credential the request is sent with.
    pub(super) fn slot(&self) -> Option<&Arc<Slot>> {
        match &self.holder {
            Holder::Nobody => None,
            Holder::Own => Some(self.session.identities().own()),
            Holder::Other(seat) => Some(seat.slot()),
        }
    }

    /// As [`slot`](Self::slot); one is made where there is none.
    pub(super) fn slot_for(&mut self, identity: &Identity) -> Arc<Slot> {
        if let Holder::Nobody = self.holder {
            self.holder = Holder::Other(self.session.identities().find_or_make(identity));
        }
        Arc::clone(self.slot().unwrap_or(self.session.identities().own()))
    }

    pub(super) fn options(&self) -> &GareOptions {
        static NOTHING: GareOptions = GareOptions::NOTHING;
        self.dealings
            .as_ref()
            .map_or(&NOTHING, |dealings| &dealings.options)
    }

    /// The headers that requests usually come with, learned from the first: this may be it.
    #[inline]
    pub(crate) fn usual_headers(&self, headers: &HeaderMap) -> &UsualHeaders {
        self.session.usual().learn_headers(headers)
    }

    /// What is asked for where somebody has to be asked: the same for all attempts.
    pub(super) fn target(&mut self, asked: &Asked) -> Option<Target> {
        if let Some(Dealings { target, .. }) = self.dealings.as_deref()
            && target.is_some()
        {
            return target.clone();
        }
        let target = self.target_of(asked);
        self.dealings().target.clone_from(&target);
        target
    }

    /// As [`target`](Self::target), of which nothing is kept: whoever waits has it.
    pub(super) fn take_target(&mut self, asked: &Asked) -> Option<Target> {
        let known = self.dealings.as_mut();
        let known = known.and_then(|dealings| dealings.target.take());
        known.or_else(|| self.target_of(asked))
    }

    fn target_of(&self, asked: &Asked) -> Option<Target> {
        let named = self.options().identity.as_ref();
        asked.target(&self.session, named).ok()
    }

    pub(super) fn dealings(&mut self) -> &mut Dealings {
        self.dealings.get_or_insert_default()
    }

    /// What came of its answers so far.
    pub(super) fn outcome(&self) -> &GareOutcome {
        static NOTHING: GareOutcome = GareOutcome::NOTHING;
        self.dealings
            .as_ref()
            .map_or(&NOTHING, |dealings| &dealings.outcome)
    }

    pub(super) fn satisfied(&self) -> &[Arc<AuthorizationParameters>] {
        self.dealings
            .as_ref()
            .map_or(&[], |dealings| &dealings.satisfied)
    }

    pub(super) fn has_renewed(&self) -> bool {
        self.dealings
            .as_ref()
            .is_some_and(|dealings| dealings.renewed)
    }

    /// Renews the credential, or waits for whoever does, and gives the header to send.
    pub(crate) async fn prepare(mut self, asked: Asked) -> (Self, Option<HeaderValue>) {
        if runtime::is_aboard() {
            // The request was called elsewhere, but it is the login that waits for it.
            return (self, None);
        }
        let slot = self.slot().map(Arc::clone);
        if let Some((slot, target)) = slot.zip(self.target(&asked)) {
            let login = match slot.lock().login() {
                Some(login) if login.origin == *target.origin() && !self.options().no_prompt => {
                    Some(login.landing.clone())
                }
                _ => None,
            };
            // Whatever comes of it, the request is sent with what there is then.
            let until = self.waits_until();
            let _ = match login {
                Some(landing) => before(until, pin!(landing.ended())).await,
                None => before(until, pin!(self.renew(&slot, &target, None))).await,
            };
            let current = slot.lock().current(target.origin());
            if let Some(issued) = current {
                self.sent = issued.generation;
                return (self, Some(issued.credential.header_value().clone()));
            }
        }
        (self, None)
    }

    /// Whether an answer with this status can lead to anything without a requirement in it.
    #[inline]
    pub(crate) fn minds(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED
            && !matches!(self.holder, Holder::Nobody)
            && !self.has_renewed()
    }

    /// Whether the answer came from an origin that is listened to. A relative
    /// URI, as some clients have after a redirect, tells nothing to be believed.
    pub(crate) fn hears(&mut self, answer: &Extensions, asked: impl FnOnce() -> Asked) -> bool {
        AnsweredBy::told(answer).is_none_or(|uri| self.hears_from(uri, asked))
    }

    /// Whether what is at `uri` is listened to; the outcome says so if it is not.
    pub(crate) fn hears_from(&mut self, uri: &Uri, asked: impl FnOnce() -> Asked) -> bool {
        let trust = &self.session.settings().trust;
        let origin = OriginRef::of(uri).ok();
        let trusted = origin.is_some_and(|origin| trust.allows_view(origin));
        self.answered_elsewhere = !origin.is_some_and(|origin| trust.is_added(origin));
        if !trusted {
            self.target(&asked());
            self.refuse(Refusal::Untrusted);
        }
        trusted
    }

    /// The replay that was decided on, if it was: there is none where the body was lost while the login went on.
    pub(crate) fn again<R>(
        &mut self,
        header: Option<HeaderValue>,
        replay: impl FnOnce(HeaderValue, &UsualHeaders) -> Option<R>,
    ) -> Option<R> {
        let again = replay(header?, self.session.usual().headers());
        if again.is_none() {
            self.refuse(Refusal::NotReplayable);
            return None;
        }
        count(&self.session.counters().replays);
        let sent = self.sent;
        let Dealings {
            target, outcome, ..
        } = self.dealings();
        outcome.replays += 1;
        if let Some(target) = target {
            events::replayed(target, outcome.replays, sent);
        }
        again
    }

    /// Leaves the outcome with the response that the caller gets.
    #[inline]
    pub(crate) fn finish(&mut self, status: StatusCode, extensions: &mut Extensions) {
        // Of most there is nothing to be told.
        if self.dealings.is_some() || !matches!(self.holder, Holder::Nobody) {
            self.tell(status, extensions);
        }
    }

    fn tell(&mut self, status: StatusCode, extensions: &mut Extensions) {
        let let_in = self.outcome().refusal.is_none() && status != StatusCode::UNAUTHORIZED;
        if let Some(slot) = self.slot().filter(|_| let_in) {
            slot.prove(self.sent);
        }
        let Some(Dealings { outcome, .. }) = self.dealings.take().map(|dealings| *dealings) else {
            return;
        };
        if !outcome.found.is_empty() || outcome.replays > 0 || outcome.refusal.is_some() {
            extensions.insert(outcome);
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.session.counters().refused(&refusal);
        let dealings = self.dealings();
        if let Some(target) = &dealings.target {
            events::gave_up(target, &refusal);
        }
        dealings.pending = None;
        dealings.outcome.refusal = Some(refusal);
    }

    /// When this request stops waiting: its deadline counts from its first wait.
    pub(super) fn waits_until(&mut self) -> Option<Instant> {
        let deadline = self.options().deadline?;
        let waits_until = &mut self.dealings().waits_until;
        if waits_until.is_none() {
            *waits_until = Instant::now().checked_add(deadline);
        }
        *waits_until
    }
}

/// `future`'s output, or `None` once `until` has passed. It is taken by reference: by value, each place that it moves
/// through keeps room for it, in the memory of every request that waits.
pub(super) async fn before<F: Future>(
    until: Option<Instant>,
    future: Pin<&mut F>,
) -> Option<F::Output> {
    match until {
        None => Some(future.await),
        // In a box, for most have no deadline, and need no room for it.
        Some(until) => Box::pin(runtime::timeout_at(until, future)).await,
    }
}
