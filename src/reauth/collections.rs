//! Collections: what their servers may be sent, and which collection a server belongs to.
//!
//! Whoever runs an endpoint runs its servers. Such a server gets only what is meant for it, whatever a
//! reauthenticator returns.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use http::header::LOCATION;
use http::{HeaderMap, StatusCode, Uri};

use super::origin::OriginRef;
use super::run::contained;
use super::target::Audience;
use super::trust::{Trust, TrustedAs};
use super::{Credential, Origin, Principal, ReauthError, Session, Target};
use crate::gare::{AuthorizationParameters, Found, Gare, Location};
use crate::runtime::{self, Mutex, MutexGuard};

/// How many servers are remembered with their collections.
const MAX_SERVERS: usize = 1024;

/// The page of Globus Auth that a login begins at.
const AUTHORIZE: &str = "/v2/oauth2/authorize";

/// Servers whose collection was verified. Those that were verified last are at the end.
#[derive(Debug, Default)]
pub(super) struct Collections(Mutex<VecDeque<(Origin, Arc<str>)>>);

impl Collections {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Origin, Arc<str>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, origin: &Origin) -> Option<Arc<str>> {
        let known = self.lock();
        let known = known.iter().find(|(server, _)| server == origin);
        known.map(|(_, collection)| Arc::clone(collection))
    }

    fn remember(&self, origin: &Origin, collection: &str) {
        let mut known = self.lock();
        known.retain(|(server, _)| server != origin);
        if known.len() >= MAX_SERVERS {
            known.pop_front();
        }
        known.push_back((origin.clone(), collection.into()));
    }
}

impl Session {
    /// The collection of this server, where the program named it or it was verified.
    pub(super) fn collection_of(&self, origin: &Origin) -> Option<Arc<str>> {
        let named = self.settings().trust.named_collection(origin.view());
        named.cloned().or_else(|| self.collections().of(origin))
    }

    pub(super) fn target(&self, audience: Audience, principal: Principal) -> Target {
        let collection = self.collection_of(&audience.origin);
        let target = Target::of(audience, principal);
        match collection {
            Some(collection) => target.with_collection(collection),
            None => target,
        }
    }

    /// `credential`, if it may be sent to `origin`.
    pub(super) fn meant_for(
        &self,
        origin: &Origin,
        credential: Credential,
    ) -> Result<Credential, ReauthError> {
        let trusted_as = self.settings().trust.trusted_as(origin.view());
        let is_meant = match credential.collection() {
            None => trusted_as != Some(TrustedAs::Collection),
            Some(named) if named.eq_ignore_ascii_case(origin.host()) => true,
            Some(named) => self
                .collection_of(origin)
                .is_some_and(|known| *known == *named),
        };
        match is_meant {
            true => Ok(credential),
            false => Err(ReauthError::new(
                "the credential is not meant for this host: one for a collection names it, and goes nowhere else",
            )),
        }
    }

    /// Whether `origin` is the server of `collection`.
    pub(super) async fn is_server_of(
        &self,
        origin: &Origin,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        if let Some(known) = self.collection_of(origin) {
            return Ok(*known == *collection);
        }
        let limit = self.settings().refresh_timeout;
        let reauthenticator = self.shared_reauthenticator();
        let asked = reauthenticator.serves_collection(origin, collection);
        let asked = runtime::in_login(self.login_of(), contained(limit, asked));
        let serves = asked.await?;
        if serves {
            self.collections().remember(origin, collection);
        }
        Ok(serves)
    }
}

/// The collection that a response claims to be of, which sends whoever comes without a usable token to
/// log in: `302` to Globus Auth, with the collection's id as the client's.
pub(super) fn claimed(trust: &Trust, status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if !status.is_redirection() {
        return None;
    }
    let location: Uri = headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    let is_login = is_authorize(&location)
        && OriginRef::of(&location).is_ok_and(|origin| trust.allows_view(origin));
    let mut parameters = location.query()?.split('&');
    let id = parameters.find_map(|it| it.strip_prefix("client_id="))?;
    let is_id = id.len() <= 64
        && id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-');
    (is_login && is_id).then(|| id.to_owned())
}

/// Whether a client that follows redirects ended at a login instead of a file.
pub(super) fn is_login(trust: &Trust, answered: &Uri) -> bool {
    is_authorize(answered) || OriginRef::of(answered).is_ok_and(|origin| trust.is_auth(origin))
}

fn is_authorize(uri: &Uri) -> bool {
    uri.path().trim_end_matches('/') == AUTHORIZE
}

/// What a collection's server requires of a request that it sends to log in.
pub(super) fn required(collection: &str, had_credential: bool) -> Found {
    let scope = format!("https://auth.globus.org/scopes/{collection}/https");
    let mut required = AuthorizationParameters::default().with_required_scopes([scope]);
    if had_credential {
        // The token is good, and its session is not: a consent alone would be no other.
        required = required.with_prompt("login");
    }
    Found::at(Gare::new("ConsentRequired", required), Location::Redirect)
}
