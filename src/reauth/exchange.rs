//! The course of one request: what it is sent with, and what becomes of an
//! answer that asks for something. The tower service and the reqwest
//! middleware both follow it; neither decides anything itself.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::{Extensions, HeaderValue, Method, Response, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

use super::events;
use super::flight::landing_of;
use super::inspect::may_ask;
use super::origin::OriginRef;
use super::slot::{Issued, Seat, Slot};
use super::{
    AnsweredBy, Credential, GareOptions, GareOutcome, Identity, Origin, Refusal, Session, Target,
};
use crate::gare::AuthorizationParameters;
use crate::runtime;

/// One request on its way through the layer.
///
/// Every request has one, and most never hear of it again: it is kept small, and made without an allocation.
pub(crate) struct Exchange {
    pub(super) session: Session,
    /// None where the request presents a credential that was never superseded.
    pub(super) seat: Option<Seat>,
    /// The `Authorization` that the request came with.
    pub(super) presented: Option<HeaderValue>,
    pub(super) options: GareOptions,
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    /// What its answers have led to; none while nothing was asked for.
    pub(super) dealings: Option<Box<Dealings>>,
}

/// What the answers to one request have led to.
#[derive(Default)]
pub(super) struct Dealings {
    /// What logins that this request waited for were asked to satisfy.
    pub(super) satisfied: Vec<AuthorizationParameters>,
    pub(super) outcome: GareOutcome,
    pub(super) waits_until: Option<Instant>,
    /// Whether a silent renewal was tried for a challenge of this request.
    pub(super) renewed: bool,
    pub(super) pending: Option<Pending>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Bearer,
    Other,
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

fn identity(named: Option<&Arc<str>>, presented: Option<&HeaderValue>) -> Identity {
    match (named, presented) {
        (Some(name), _) => Identity::Named(Arc::clone(name)),
        (None, Some(value)) => Identity::Presented(Credential::from_header_value(value.clone())),
        (None, None) => Identity::Session,
    }
}

fn is_bearer(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

impl Exchange {
    /// Says which `Authorization` the request came with, if any, and so whose it is.
    #[inline]
    pub(crate) fn present(&mut self, presented: Option<HeaderValue>) {
        let identities = self.session.identities();
        self.seat = match (&self.options.identity, &presented) {
            (None, None) => Some(identities.own()),
            (None, Some(_)) if identities.are_none() => None,
            (named, presented) => {
                let identity = identity(named.as_ref(), presented.as_ref());
                match presented {
                    None => Some(identities.find_or_make(&identity)),
                    Some(_) => identities.find(&identity),
                }
            }
        };
        self.presented = presented;
    }

    /// The header to send, if that is known without waiting: `Some(None)` sends
    /// the request as it came, `None` asks for [`prepare`](Self::prepare).
    #[inline]
    pub(crate) fn ready(&mut self) -> Option<Option<HeaderValue>> {
        let Some(seat) = &self.seat else {
            return Some(None);
        };
        let presented = self.presented();
        if presented == Presented::Other {
            return Some(None);
        }
        let origin = OriginRef::of(&self.uri).ok()?;
        let leeway = self.session.settings().expiry_leeway;
        let slot = seat.slot();
        let is_barren = || slot.lock().is_barren(origin, Instant::now());
        let value = |issued: &Issued| {
            let value = issued.credential.header_value().clone();
            (
                issued.generation,
                value,
                issued.credential.is_expired(leeway),
            )
        };
        match slot.current.look(origin, value) {
            Some((generation, value, expired)) if !expired || is_barren() => {
                self.sent = generation;
                Some(Some(value))
            }
            Some(_) => None,
            None if presented == Presented::Bearer || is_barren() => Some(None),
            None => None,
        }
    }

    /// What is asked for where somebody has to be asked.
    pub(super) fn target(&self) -> Option<Target> {
        let origin = Origin::of(&self.uri).ok()?;
        Some(Target::new(origin, self.identity()))
    }

    pub(super) fn identity(&self) -> Identity {
        identity(self.options.identity.as_ref(), self.presented.as_ref())
    }

    pub(super) fn presented(&self) -> Presented {
        match &self.presented {
            None => Presented::Nothing,
            Some(value) if is_bearer(value) => Presented::Bearer,
            Some(_) => Presented::Other,
        }
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

    pub(super) fn satisfied(&self) -> &[AuthorizationParameters] {
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
    pub(crate) async fn prepare(mut self) -> (Self, Option<HeaderValue>) {
        if runtime::is_aboard() {
            // The request was called elsewhere, but it is the login that waits for it.
            return (self, None);
        }
        let slot = self.seat.as_ref().map(|seat| Arc::clone(seat.slot()));
        if let Some((slot, target)) = slot.zip(self.target()) {
            let login = match slot.lock().login() {
                Some(login) if login.origin == *target.origin() && !self.options.no_prompt => {
                    Some(login.landing.clone())
                }
                _ => None,
            };
            // Whatever comes of it, the request is sent with what there is then.
            let until = self.waits_until();
            let _ = match login {
                Some(landing) => before(until, pin!(landing_of(landing))).await,
                None => before(until, pin!(self.renew(&slot, &target))).await,
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
    pub(crate) fn minds(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED && self.seat.is_some() && !self.has_renewed()
    }

    /// Whether the answer came from an origin that is listened to. A relative
    /// URI, as some clients have after a redirect, tells nothing to be believed.
    pub(crate) fn hears(&mut self, answer: &Extensions) -> bool {
        AnsweredBy::told(answer).is_none_or(|uri| self.hears_from(uri))
    }

    /// Whether what is at `uri` is listened to; the outcome says so if it is not.
    pub(crate) fn hears_from(&mut self, uri: &Uri) -> bool {
        let trust = &self.session.settings().trust;
        let trusted = OriginRef::of(uri).is_ok_and(|origin| trust.allows_view(origin));
        if !trusted {
            self.refuse(Refusal::Untrusted);
        }
        trusted
    }

    /// The body was lost while the login went on: the replay that was decided on does not take place.
    pub(crate) fn not_replayable(&mut self) {
        let replays = &mut self.dealings().outcome.replays;
        *replays = replays.saturating_sub(1);
        self.refuse(Refusal::NotReplayable);
    }

    /// Whether there is anything to be done about an answer: mostly not.
    pub(crate) fn concerns<B: Body>(&mut self, response: &Response<B>, max_inspect: usize) -> bool {
        let minded = may_ask(&self.method, response, max_inspect) || self.minds(response.status());
        minded && self.hears(response.extensions())
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Leaves the outcome with the response that the caller gets.
    #[inline]
    pub(crate) fn finish(&mut self, status: StatusCode, extensions: &mut Extensions) {
        let outcome = self.outcome();
        let let_in = outcome.refusal.is_none() && status != StatusCode::UNAUTHORIZED;
        if let Some(seat) = self.seat.as_ref().filter(|_| let_in) {
            seat.slot().prove(self.sent);
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
        if let Some(target) = self.target() {
            events::gave_up(&target, &refusal);
        }
        let dealings = self.dealings();
        dealings.pending = None;
        dealings.outcome.refusal = Some(refusal);
    }

    /// When this request stops waiting: its deadline counts from its first wait.
    pub(super) fn waits_until(&mut self) -> Option<Instant> {
        let deadline = self.options.deadline?;
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
        Some(until) => runtime::timeout_at(until, future).await,
    }
}
