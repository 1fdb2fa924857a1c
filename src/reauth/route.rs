//! How a request goes through the layer: decided before it is sent, without waiting.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body::Body;
use tokio::time::Instant;

use super::accounts::InUse;
use super::inspect::may_ask;
use super::origin::OriginRef;
use super::{Credential, GareOptions, GareOutcome, GaveUp, Principal, Session, events};
use crate::runtime;

/// A request that is about to be sent.
#[derive(Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    /// Empty, as the authority, where the URI has none.
    pub(crate) scheme: &'a str,
    /// With user information and port, if the URI has them.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

/// How a request is routed.
pub(crate) enum Route {
    /// As if there were no layer.
    Bypass,
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
    /// The generation that the request was last sent with.
    pub(super) sent: u64,
}

impl Handled {
    /// Whether a response may be a challenge, or lead to a look-up.
    pub(crate) fn may_follow<B: Body>(
        &self,
        method: &Method,
        response: &Response<B>,
        max_inspect: usize,
    ) -> bool {
        let status = response.status();
        !status.is_success() && (may_ask(method, response, max_inspect) || self.may_look_up(status))
    }

    /// Whether a response with this status and without a requirement may lead to a look-up.
    pub(crate) fn may_look_up(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED && self.account.is_some()
    }

    /// Notes a response that goes back to the caller and is no challenge.
    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(account) = &self.account
            && self.sent > 0
            && status != StatusCode::UNAUTHORIZED
        {
            account.account().lock().note_accepted(self.sent);
        }
    }
}

/// The `Authorization` that a request is first sent with.
pub(crate) enum Authorization {
    /// This one, or the one that it came with.
    Known(Option<HeaderValue>),
    /// The one that an exchange waits for, in `credential`.
    Awaited,
}

/// A request to an origin that is not trusted.
pub(crate) struct Untrusted {
    session: Session,
    pub(crate) method: Method,
}

impl Untrusted {
    /// The outcome for a response that may be a challenge.
    pub(crate) fn outcome(&self) -> GareOutcome {
        self.session.counters().gave_up(&GaveUp::Untrusted);
        events::not_trusted();
        GareOutcome {
            gave_up: Some(GaveUp::Untrusted),
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
        let options = request.extensions.get::<GareOptions>();
        if options.is_some_and(|options| options.bypass)
            || runtime::is_in_login()
            || is_part_of_a_login(request.path)
        {
            return Route::Bypass;
        }
        let origin = OriginRef::parse(request.scheme, request.authority).ok();
        let trust = &self.settings().trust;
        let Some(origin) = origin.filter(|origin| trust.allows_view(*origin)) else {
            return Route::Untrusted(Untrusted {
                session: self.clone(),
                method: request.method.clone(),
            });
        };
        let presented = request.headers.get(AUTHORIZATION);
        let name = options.and_then(|options| options.principal.as_ref());
        let accounts = self.accounts();
        let account = match (name, presented) {
            (None, None) => Some(accounts.own()),
            (Some(_), None) => Some(accounts.find_or_make(&principal(name, None))),
            // A request that presents a credential gets an account once it is challenged.
            (_, Some(_)) => accounts.find(|| principal(name, presented)),
        };
        let mut handled = Handled {
            session: self.clone(),
            account,
            sent: 0,
        };
        let authorization = handled.authorization(presented, origin);
        Route::Handle(handled, authorization)
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
        let presented = Presented::of(presented);
        if presented == Presented::Other {
            return Authorization::Known(None);
        }
        let state = account.account().lock();
        let current = state.current(origin);
        let is_good = current.is_some_and(|issued| {
            !issued
                .credential
                .is_expired(self.session.settings().expiry_leeway)
        });
        let is_missed = current.is_some() || presented == Presented::Nothing;
        if !is_good && is_missed && !state.found_nothing(origin, Instant::now()) {
            return Authorization::Awaited;
        }
        let Some(issued) = current else {
            return Authorization::Known(None);
        };
        let (value, generation) = (issued.credential.header_value().clone(), issued.generation);
        drop(state);
        self.sent = generation;
        Authorization::Known(Some(value))
    }
}
