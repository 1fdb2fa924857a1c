//! How a request goes through the layer: decided before it is sent, without waiting.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Extensions, HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

use super::accounts::InUse;
use super::collections::{claimed, is_login};
use super::events::Event;
use super::inspect::{Look, look};
use super::login::look_up;
use super::origin::OriginRef;
use super::target::AudienceRef;
use super::trust::TrustedAs;
use super::{
    Credential, GareOptions, GareOutcome, GaveUp, Origin, Principal, ResponseUrl, Session, Why,
};
use crate::gare::Detection;
use crate::runtime;

/// A request that is about to be sent.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    /// Empty, as the authority, where the URI has none.
    pub(crate) scheme: &'a str,
    /// With user information and port, if the URI has them.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
    /// What holds where the extensions have no options.
    pub(crate) defaults: &'a GareOptions,
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The headers may hold a credential.
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'a> RequestHead<'a> {
    /// The request's method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The path of its URI.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The origin of its URI; `None` where the URI names none.
    pub fn origin(&self) -> Option<Origin> {
        let origin = OriginRef::parse(self.scheme, self.authority).ok()?;
        Some(origin.to_owned())
    }

    /// Its headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Its extensions. With reqwest, those of the middleware.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    fn options(self) -> &'a GareOptions {
        self.extensions.get().unwrap_or(self.defaults)
    }
}

/// How a request is routed.
pub(crate) enum Route {
    /// As if there were no layer, but for the `Authorization` that is at hand.
    Bypass(Option<HeaderValue>),
    /// Sent as it came: its origin gets no credential, and starts no login.
    Untrusted(Untrusted),
    /// Sent with this `Authorization`; its response is looked at.
    Handle(Handled, Authorization),
}

/// A request that was routed to be handled: as little as a response that is no challenge needs.
pub(crate) struct Handled {
    pub(super) session: Session,
    /// `None` while the request presents a credential that was never superseded.
    pub(super) account: Option<InUse>,
    /// The name of its principal, where it has one.
    pub(super) name: Option<Arc<str>>,
    /// Of the token that it wants, where the origin has several.
    pub(super) resource_server: Option<Arc<str>>,
    /// The epoch of the account when the request was routed.
    pub(super) epoch: u64,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    /// Whether the request carries the session's credential, or none.
    pub(super) is_ours: bool,
    /// Whether its server may send it to a login.
    pub(crate) may_redirect: bool,
}

impl Handled {
    /// Whether a response may be a challenge, or may have been one that cannot be read.
    pub(crate) fn may_follow<B: Body>(
        &self,
        method: &Method,
        response: &Response<B>,
        max_inspect: usize,
    ) -> bool {
        let status = response.status();
        !status.is_success()
            && (look(method, response, max_inspect) != Look::Nothing
                || self.may_ask_for_any(status, response.headers()))
            || self.is_sent_to_login(
                status,
                response.headers(),
                ResponseUrl::told(response.extensions()),
            )
    }

    /// Whether the server sent the request to a login, or the client followed it there.
    pub(crate) fn is_sent_to_login(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        answered: Option<&Uri>,
    ) -> bool {
        let trust = &self.session.settings().trust;
        self.may_redirect
            && (claimed(trust, status, headers).is_some()
                || answered.is_some_and(|uri| is_login(trust, uri)))
    }

    /// Whether a response without a requirement has the request look for a credential.
    pub(crate) fn may_ask_for_any(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.is_ours && is_unauthenticated(status, headers)
    }

    /// Notes a response that goes back to the caller and is no challenge.
    pub(crate) fn answered(&self, status: StatusCode, path: &str) {
        if let Some(account) = &self.account
            && is_accepted(status)
        {
            account.account().lock().note_accepted(self.sent, path);
        }
    }
}

/// Whether a service accepted the credential of a request.
pub(super) fn is_accepted(status: StatusCode) -> bool {
    status.as_u16() < 400
}

/// Whether a service asks for any credential, and would take a bearer token.
pub(super) fn is_unauthenticated(status: StatusCode, headers: &HeaderMap) -> bool {
    if status != StatusCode::UNAUTHORIZED {
        return false;
    }
    let mut offered = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
    offered.peek().is_none() || offered.any(offers_bearer)
}

/// One field may offer several schemes, each after a comma or at the beginning.
fn offers_bearer(offered: &HeaderValue) -> bool {
    let mut parts = offered.as_bytes().split(|byte| *byte == b',');
    parts.any(|part| {
        let scheme = part.trim_ascii().split(|byte| *byte == b' ').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    })
}

/// The `Authorization` that a request is first sent with.
pub(crate) enum Authorization {
    /// This one, or the one that it came with.
    Known(Option<HeaderValue>),
    /// The one that an exchange waits for, in `credential`.
    Awaited,
}

/// A request whose origin is not trusted, or that names none.
pub(crate) struct Untrusted {
    session: Session,
    pub(crate) method: Method,
    reason: GaveUp,
}

impl Untrusted {
    /// The outcome for a response in which a GARE was found.
    pub(crate) fn outcome(self, detection: Detection) -> GareOutcome {
        self.session.counters().gave_up(&self.reason);
        self.session.emit(Event::NotTrusted);
        GareOutcome {
            found: detection.found,
            gave_up: Some(self.reason),
            ..GareOutcome::default()
        }
    }
}

/// What kind of `Authorization` a request came with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Bearer,
    /// One that a login cannot replace.
    Other,
}

impl Presented {
    pub(super) fn of(value: Option<&HeaderValue>) -> Self {
        match value.map(|value| value.as_bytes().get(..7)) {
            None => Self::Nothing,
            Some(Some(scheme)) if scheme.eq_ignore_ascii_case(b"bearer ") => Self::Bearer,
            Some(_) => Self::Other,
        }
    }
}

/// Whose request it is: by name, or by the `Authorization` that it came with.
pub(super) fn principal(name: Option<&Arc<str>>, presented: Option<&HeaderValue>) -> Principal {
    match (name, presented) {
        (Some(name), _) => Principal::Named(Arc::clone(name)),
        (None, Some(value)) => Principal::Presented(Credential::from_header_value(value.clone())),
        (None, None) => Principal::Session,
    }
}

/// Whether the request is one of those that a login is made of: they carry the client's own
/// credentials, and must not wait for the login to end.
fn is_part_of_a_login(path: &str) -> bool {
    path.strip_prefix("/v2/oauth2/")
        .is_some_and(|rest| rest == "authorize" || rest == "token" || rest.starts_with("token/"))
}

impl Session {
    /// Routes a request. Nothing waits here.
    pub(crate) fn start(&self, request: RequestHead<'_>) -> Route {
        let options = request.options();
        let login_of = runtime::login_of();
        if options.bypass || login_of == Some(self.login_of()) || is_part_of_a_login(request.path) {
            return Route::Bypass(None);
        }
        let untrusted = |reason| {
            Route::Untrusted(Untrusted {
                session: self.clone(),
                method: request.method.clone(),
                reason,
            })
        };
        let Ok(origin) = OriginRef::parse(request.scheme, request.authority) else {
            return untrusted(GaveUp::NoOrigin);
        };
        let Some(trusted_as) = self.settings().trust.trusted_as(origin) else {
            return untrusted(GaveUp::Untrusted);
        };
        let presented = request.headers.get(AUTHORIZATION);
        let name = self.name(request);
        let mut handled = Handled {
            session: self.clone(),
            account: self.account(name.as_ref(), presented),
            name,
            resource_server: self.resource_server(request),
            epoch: 0,
            sent: 0,
            is_ours: presented.is_none(),
            may_redirect: trusted_as != TrustedAs::Service,
        };
        let authorization = handled.authorization(presented, origin);
        match (login_of, authorization) {
            (None, authorization) => Route::Handle(handled, authorization),
            // Another session's login neither waits for this one's logins nor starts any.
            (Some(_), Authorization::Known(value)) => Route::Bypass(value),
            (Some(_), Authorization::Awaited) => Route::Bypass(None),
        }
    }

    fn name(&self, request: RequestHead<'_>) -> Option<Arc<str>> {
        let name = &request.options().principal;
        match &self.settings().principal_by {
            Some(by) if name.is_none() => by(request),
            _ => name.clone(),
        }
    }

    fn resource_server(&self, request: RequestHead<'_>) -> Option<Arc<str>> {
        match &request.options().resource_server {
            Some(named) => Some(Arc::clone(named)),
            None => self.reauthenticator().resource_server(&request),
        }
    }

    /// `None` where the request presents a credential and was not challenged yet, and where there
    /// are too many principals.
    fn account(&self, name: Option<&Arc<str>>, presented: Option<&HeaderValue>) -> Option<InUse> {
        let accounts = self.accounts();
        match (name, presented) {
            (None, None) => Some(accounts.own()),
            (None, Some(_)) if self.settings().one_person => Some(accounts.own()),
            (Some(_), None) => accounts.find_or_make(&principal(name, None)),
            (None, Some(_)) if !self.settings().supersede_presented => None,
            (_, Some(_)) => accounts.find(|| principal(name, presented)),
        }
    }
}

impl Handled {
    fn authorization(
        &mut self,
        presented: Option<&HeaderValue>,
        origin: OriginRef<'_>,
    ) -> Authorization {
        let Some(account) = &self.account else {
            return Authorization::Known(None);
        };
        let audience = AudienceRef {
            origin,
            resource_server: self.resource_server.as_deref(),
        };
        let settings = self.session.settings();
        let mut state = account
            .account()
            .lock_current(self.session.reauthenticator());
        self.epoch = state.epoch();
        match (Presented::of(presented), presented) {
            (Presented::Other, _) => return Authorization::Known(None),
            (Presented::Bearer, Some(value)) if settings.one_person => {
                state.note_presented(audience, value, settings);
            }
            _ => {}
        }
        let Some(issued) = state.current(audience) else {
            return match presented {
                None => Authorization::Awaited,
                Some(_) => Authorization::Known(None),
            };
        };
        let to_be_verified = || self.session.to_be_verified(origin, &issued.credential);
        if issued.credential.is_expired() || to_be_verified().is_some() {
            return Authorization::Awaited;
        }
        self.sent = issued.generation;
        self.is_ours = true;
        let is_expiring = issued.credential.is_expiring(settings.refresh_window)
            && state.may_refresh(audience, Instant::now());
        let value = issued.credential.header_value().clone();
        drop(state);
        if is_expiring {
            self.refresh(account, audience);
        }
        Authorization::Known(Some(value))
    }

    /// Has a credential that ends soon refreshed, while requests go out with it.
    fn refresh(&self, account: &InUse, audience: AudienceRef<'_>) {
        let principal = account.account().principal.clone();
        let target = self.session.target(audience.to_owned(), principal);
        if runtime::has_timer() && runtime::login_of().is_none() {
            let _ = look_up(&self.session, account, &target, self.sent, Why::Expiring);
        }
    }
}
