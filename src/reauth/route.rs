//! Routes a request before it is sent. Nothing here waits.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Extensions, HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

use super::accounts::InUse;
use super::collections::{claimed, is_login};
use super::events::EventKind;
use super::inspect::{Look, look};
use super::login::look_up;
use super::origin::OriginRef;
use super::rules::Rule;
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
    /// Empty if the URI has none.
    pub(crate) scheme: &'a str,
    /// With user information and port, if the URI has them. Empty if the URI has no authority.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
    /// The options if the extensions have none.
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

    /// The path of the request's URI.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The origin of the request's URI; `None` if the URI names none.
    pub fn origin(&self) -> Option<Origin> {
        let origin = OriginRef::parse(self.scheme, self.authority).ok()?;
        Some(origin.to_owned())
    }

    /// The request's headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The request's extensions. With reqwest, those of the middleware.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    fn options(self) -> &'a GareOptions {
        self.extensions.get().unwrap_or(self.defaults)
    }
}

/// How a request is routed.
pub(crate) enum Route {
    /// Send it with this `Authorization`, if any, and do not inspect the response.
    Bypass(Option<HeaderValue>),
    /// Send it unchanged: its origin gets no credential, and starts no login.
    Untrusted(Untrusted),
    /// Send it with this `Authorization`, and inspect the response.
    Handle(Handled, Authorization),
}

/// A request that is handled. It has only the state that a response without a challenge needs.
pub(crate) struct Handled {
    pub(super) session: Session,
    /// `None` while the request presents a credential that no login has replaced.
    pub(super) account: Option<InUse>,
    /// The name of the request's principal, if the program gave one.
    pub(super) name: Option<Arc<str>>,
    /// The resource server of the token, if one was named.
    pub(super) resource_server: Option<Arc<str>>,
    /// The epoch of the account when the request was routed.
    pub(super) epoch: u64,
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
    /// Whether the request carries the session's credential, or none.
    pub(super) is_ours: bool,
    /// Whether its server may redirect it to a login.
    pub(crate) may_redirect: bool,
}

impl Handled {
    /// Whether a response may be a challenge, even if it cannot be read.
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

    /// Whether the server redirected the request to a login, or the client followed it there.
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

    /// Whether the response is a plain `401` that a login or a look-up may satisfy.
    pub(crate) fn may_ask_for_any(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.is_ours && is_unauthenticated(status, headers)
    }

    /// Notes a response that is no challenge and goes to the caller.
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

/// Whether a response is a `401` of a service that takes bearer tokens.
pub(super) fn is_unauthenticated(status: StatusCode, headers: &HeaderMap) -> bool {
    if status != StatusCode::UNAUTHORIZED {
        return false;
    }
    let mut offered = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
    offered.peek().is_none() || offered.any(offers_bearer)
}

/// Whether a `WWW-Authenticate` field offers `Bearer`. It may offer several schemes, separated by
/// commas. A comma in quotes separates nothing.
fn offers_bearer(offered: &HeaderValue) -> bool {
    let mut is_quoted = false;
    let mut parts = offered.as_bytes().split(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    });
    parts.any(|part| {
        let scheme = part.trim_ascii().split(|byte| *byte == b' ').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    })
}

/// The `Authorization` that a request is first sent with.
pub(crate) enum Authorization {
    /// This one, or with `None` the one that it came with.
    Known(Option<HeaderValue>),
    /// The one that [`Exchange::credential`](super::Exchange::credential) waits for.
    Awaited,
}

/// A request whose origin is not trusted, or whose URI names no origin.
pub(crate) struct Untrusted {
    session: Session,
    pub(crate) method: Method,
    reason: GaveUp,
}

impl Untrusted {
    /// The outcome for a response in which a GARE was found.
    pub(crate) fn outcome(self, detection: Detection) -> GareOutcome {
        self.session.counters().gave_up(&self.reason);
        self.session.emit(None, EventKind::NotTrusted);
        GareOutcome {
            found: detection.found,
            gave_up: Some(self.reason),
            ..GareOutcome::default()
        }
    }
}

/// Whether an `Authorization` is a bearer token, which a login can replace.
pub(super) fn is_bearer(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().get(..7);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

/// The principal of a request: by name, or by the `Authorization` that it came with.
pub(super) fn principal(name: Option<&Arc<str>>, presented: Option<&HeaderValue>) -> Principal {
    match (name, presented) {
        (Some(name), _) => Principal::Named(Arc::clone(name)),
        (None, Some(value)) => Principal::Presented(Credential::from_header_value(value.clone())),
        (None, None) => Principal::Session,
    }
}

/// Whether a path is that of a request to log in. Such requests carry the client's own credentials,
/// and must not wait for a login.
fn is_part_of_a_login(path: &str) -> bool {
    path.strip_prefix("/v2/oauth2/")
        .is_some_and(|rest| rest == "authorize" || rest == "token" || rest.starts_with("token/"))
}

impl Session {
    /// Routes a request.
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
            // A request of another session's login neither waits for a login here nor starts one.
            (Some(_), Authorization::Known(value)) => Route::Bypass(value),
            (Some(_), Authorization::Awaited) => Route::Bypass(None),
        }
    }

    fn name(&self, request: RequestHead<'_>) -> Option<Arc<str>> {
        let name = &request.options().principal;
        match &self.settings().principal_by {
            Some(Rule(by)) if name.is_none() => by(request),
            _ => name.clone(),
        }
    }

    fn resource_server(&self, request: RequestHead<'_>) -> Option<Arc<str>> {
        match &request.options().resource_server {
            Some(named) => Some(Arc::clone(named)),
            None => self.reauthenticator().resource_server(&request),
        }
    }

    /// The account of the request. `None` if it presents a credential that was not challenged yet,
    /// or if there are too many principals.
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
        match presented {
            Some(value) if !is_bearer(value) => return Authorization::Known(None),
            Some(value) if settings.one_person => state.note_presented(audience, value, settings),
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

    /// Starts a refresh in the background. Requests use the current credential meanwhile.
    fn refresh(&self, account: &InUse, audience: AudienceRef<'_>) {
        let principal = account.account().principal.clone();
        let target = self.session.target(audience.to_owned(), principal);
        if runtime::has_timer() && runtime::login_of().is_none() {
            let _ = look_up(&self.session, account, &target, self.sent, Why::Expiring);
        }
    }
}
