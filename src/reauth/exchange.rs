//! The course of one request: what it is sent with, and what becomes of an
//! answer that asks for something. The tower service and the reqwest
//! middleware both follow it; neither decides anything itself.

use std::future::Future;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::time::Instant;

use super::events;
use super::flight::landing_of;
use super::origin::OriginRef;
use super::slot::{Issued, Seat, Slot};
use super::{
    AnsweredBy, Credential, GareOptions, GareOutcome, Identity, Origin, Refusal, Session, Target,
};
use crate::gare::AuthorizationParameters;
use crate::runtime;

/// How a request goes through the layer.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would cost every request an allocation"
)]
pub(crate) enum Course {
    /// As if there were no layer.
    Aside,
    /// To an origin that is not trusted: only told, never acted on.
    Untrusted,
    /// With a credential, and its answer looked at.
    Through(Exchange),
}

/// One request on its way through the layer.
pub(crate) struct Exchange {
    pub(super) session: Session,
    /// None where the request presents a credential that was never superseded.
    pub(super) seat: Option<Seat>,
    pub(super) identity: Identity,
    pub(super) options: GareOptions,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) presented: Presented,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
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

impl Session {
    /// Begins the course of a request. Nothing waits here.
    pub(crate) fn begin(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Course {
        let options = extensions.get::<GareOptions>().cloned().unwrap_or_default();
        if options.never || runtime::is_aboard() || is_part_of_a_login(uri) {
            return Course::Aside;
        }
        if !OriginRef::of(uri).is_ok_and(|origin| self.settings().trust.allows_view(origin)) {
            return Course::Untrusted;
        }
        let value = headers.get(AUTHORIZATION);
        let presented = match value {
            None => Presented::Nothing,
            Some(value) if is_bearer(value) => Presented::Bearer,
            Some(_) => Presented::Other,
        };
        let identity = match (&options.identity, value) {
            (Some(name), _) => Identity::Named(Arc::clone(name)),
            (None, Some(value)) => {
                Identity::Presented(Credential::from_header_value(value.clone()))
            }
            (None, None) => Identity::Session,
        };
        let seat = match presented {
            Presented::Nothing => Some(self.identities().find_or_make(&identity)),
            _ => self.identities().find(&identity),
        };
        Course::Through(Exchange {
            session: self.clone(),
            seat,
            identity,
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
        })
    }

    /// The outcome of an answer from an origin that is not trusted.
    pub(crate) fn untrusted(&self) -> GareOutcome {
        self.counters().refused(&Refusal::Untrusted);
        events::not_trusted();
        GareOutcome {
            refusal: Some(Refusal::Untrusted),
            ..GareOutcome::default()
        }
    }
}

/// Whether the request is one of those that a login is made of: they come with
/// a client's own credentials, and must not wait for the login to be over.
fn is_part_of_a_login(uri: &Uri) -> bool {
    let path = uri.path();
    path == "/v2/oauth2/authorize"
        || path == "/v2/oauth2/token"
        || path.starts_with("/v2/oauth2/token/")
}

fn is_bearer(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

impl Exchange {
    /// The header to send, if that is known without waiting: `Some(None)` sends
    /// the request as it came, `None` asks for [`prepare`](Self::prepare).
    pub(crate) fn ready(&mut self) -> Option<Option<HeaderValue>> {
        let Some(seat) = &self.seat else {
            return Some(None);
        };
        if self.presented == Presented::Other {
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
            None if self.presented == Presented::Bearer || is_barren() => Some(None),
            None => None,
        }
    }

    /// What is asked for where somebody has to be asked.
    pub(super) fn target(&self) -> Option<Target> {
        let origin = Origin::of(&self.uri).ok()?;
        Some(Target::new(origin, self.identity.clone()))
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
                Some(landing) => before(until, landing_of(landing)).await,
                None => before(until, self.renew(&slot, &target)).await,
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
        status == StatusCode::UNAUTHORIZED && self.seat.is_some() && !self.renewed
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
        self.outcome.replays = self.outcome.replays.saturating_sub(1);
        self.refuse(Refusal::NotReplayable);
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Leaves the outcome with the response that the caller gets.
    pub(crate) fn finish(self, status: StatusCode, extensions: &mut Extensions) {
        let outcome = self.outcome;
        let let_in = outcome.refusal.is_none() && status != StatusCode::UNAUTHORIZED;
        if let Some(seat) = self.seat.filter(|_| let_in) {
            seat.slot().prove(self.sent);
        }
        if !outcome.found.is_empty() || outcome.replays > 0 || outcome.refusal.is_some() {
            extensions.insert(outcome);
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.session.counters().refused(&refusal);
        if let Some(target) = self.target() {
            events::gave_up(&target, &refusal);
        }
        self.pending = None;
        self.outcome.refusal = Some(refusal);
    }

    /// When this request stops waiting: its deadline counts from its first wait.
    pub(super) fn waits_until(&mut self) -> Option<Instant> {
        let deadline = self.options.deadline?;
        if self.waits_until.is_none() {
            self.waits_until = Instant::now().checked_add(deadline);
        }
        self.waits_until
    }
}

pub(super) async fn before<F: Future>(until: Option<Instant>, future: F) -> Option<F::Output> {
    match until {
        None => Some(future.await),
        Some(until) => runtime::timeout_at(until, future).await,
    }
}
