//! The HTTPS servers of collections: which collection a server belongs to, and which credentials it
//! may get.
//!
//! The owner of a collection runs its server. The server gets only a credential that names its
//! collection, whatever a reauthenticator returns.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderMap, StatusCode, Uri};
use tokio::time::Instant;

use super::exchange::Exchange;
use super::origin::OriginRef;
use super::run::contained;
use super::target::Audience;
use super::trust::{Trust, TrustedAs};
use super::{Credential, GaveUp, Origin, Principal, ReauthError, Session, Target};
use crate::gare::{AuthorizationParameters, Found, Gare, Location};
use crate::runtime::{self, Mutex, MutexGuard};

/// How many servers are remembered with their collections.
const MAX_SERVERS: usize = 1024;

/// How long a verified server stays verified. A host name may get a new owner.
const VERIFIED_FOR: Duration = Duration::from_secs(60 * 60);

/// The path of Globus Auth's login page. A base URL with a path may stand before it.
const AUTHORIZE: &str = "/v2/oauth2/authorize";

/// Servers whose collection was verified, sorted by time.
#[derive(Debug, Default)]
pub(super) struct Collections(Mutex<VecDeque<Verified>>);

#[derive(Debug)]
struct Verified {
    server: Origin,
    collection: Arc<str>,
    at: Instant,
}

impl Collections {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Verified>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, server: OriginRef<'_>) -> Option<Arc<str>> {
        let known = self.lock();
        let known = known.iter().find(|it| it.server.view() == server)?;
        let is_believed = known.at.elapsed() < VERIFIED_FOR;
        is_believed.then(|| Arc::clone(&known.collection))
    }

    fn remember(&self, server: &Origin, collection: &str) {
        let mut known = self.lock();
        known.retain(|it| it.server != *server);
        if known.len() >= MAX_SERVERS {
            known.pop_front();
        }
        known.push_back(Verified {
            server: server.clone(),
            collection: collection.into(),
            at: Instant::now(),
        });
    }
}

impl Session {
    /// The collection of this server, if the program named it or it was verified.
    pub(super) fn collection_of(&self, origin: OriginRef<'_>) -> Option<Arc<str>> {
        let named = self.settings().trust.named_collection(origin);
        named.cloned().or_else(|| self.collections().of(origin))
    }

    /// The collection of `credential`, if `origin` must first be verified to be its server.
    pub(super) fn to_be_verified<'c>(
        &self,
        origin: OriginRef<'_>,
        credential: &'c Credential,
    ) -> Option<&'c str> {
        let named = credential.collection()?;
        let is_verified = || self.collection_of(origin).is_some_and(|it| *it == *named);
        (!named.eq_ignore_ascii_case(origin.host) && !is_verified()).then_some(named)
    }

    pub(super) fn target(&self, audience: Audience, principal: Principal) -> Target {
        let collection = self.collection_of(audience.origin.view());
        let target = Target::of(audience, principal);
        match collection {
            Some(collection) => target.with_collection(collection),
            None => target,
        }
    }

    /// A caller's target, with the collection that the session knows. Nothing has verified the one
    /// that the caller names.
    pub(super) fn verified_target(&self, target: &Target) -> Target {
        self.target(target.audience().clone(), target.principal().clone())
    }

    /// `credential`, if it may be sent to `target`.
    pub(super) fn meant_for(
        &self,
        target: &Target,
        credential: Credential,
    ) -> Result<Credential, ReauthError> {
        let origin = target.origin().view();
        let is_meant = match credential.collection() {
            None => self.settings().trust.trusted_as(origin) != Some(TrustedAs::Collection),
            // The login may have begun before the end of an hour. Each request verifies it again.
            named if named == target.collection() => true,
            Some(_) => self.to_be_verified(origin, &credential).is_none(),
        };
        match is_meant {
            true => Ok(credential),
            false => Err(ReauthError::new(
                "the credential is not meant for this host: mark one for a collection's server, and no other, with Credential::for_collection",
            )),
        }
    }

    /// Whether the target's origin is the server of `collection`.
    pub(super) async fn is_server_of(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        if let Some(known) = self.collection_of(target.origin().view()) {
            return Ok(*known == *collection);
        }
        let limit = self.settings().refresh_timeout;
        let reauthenticator = self.shared_reauthenticator();
        let asked = reauthenticator.serves_collection(target, collection);
        let asked = runtime::in_login(self.login_of(), contained(limit, asked));
        let serves = asked.await?;
        if serves {
            self.collections().remember(target.origin(), collection);
        }
        Ok(serves)
    }
}

impl Exchange {
    /// `target` with the collection that its server claims, once that is verified.
    pub(super) async fn verified(
        &mut self,
        target: Target,
        claimed: Option<String>,
    ) -> Result<Target, GaveUp> {
        let Some(collection) = claimed else {
            return Ok(target);
        };
        let session = self.session.clone();
        let asked = session.is_server_of(&target, &collection);
        match self.within_max_wait(asked).await {
            None => Err(GaveUp::MaxWait),
            Some(Ok(true)) => {
                let target = target.with_collection(collection);
                self.target = Some(target.clone());
                Ok(target)
            }
            Some(Err(error)) if error.is_unavailable() => Err(GaveUp::Unavailable(error)),
            Some(Ok(false) | Err(_)) => Err(GaveUp::UnverifiedCollection),
        }
    }

    /// Verifies that the target is still the server of the credential's collection.
    pub(super) async fn verify_again(&mut self, credential: &Credential) -> Result<(), GaveUp> {
        let Some(target) = self.target.clone() else {
            return Ok(());
        };
        let collection = self
            .session
            .to_be_verified(target.origin().view(), credential);
        let collection = collection.map(str::to_owned);
        self.verified(target, collection).await.map(drop)
    }
}

/// The collection that a server claims to belong to. A server redirects a request without a usable
/// token to Globus Auth, with the collection's id as `client_id`.
pub(super) fn claimed(trust: &Trust, status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if !status.is_redirection() {
        return None;
    }
    let location: Uri = headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    let is_login = is_authorize(location.path())
        && OriginRef::of(&location).is_ok_and(|origin| trust.allows_view(origin));
    let mut parameters = location.query()?.split('&');
    let id = parameters.find_map(|it| it.strip_prefix("client_id="))?;
    let is_id = id.len() <= 64
        && id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-');
    (is_login && is_id).then(|| id.to_owned())
}

/// Whether the client followed redirects to a login page.
pub(super) fn is_login(trust: &Trust, answered: &Uri) -> bool {
    is_authorize(answered.path())
        || OriginRef::of(answered).is_ok_and(|origin| trust.is_auth(origin))
}

/// Whether `path` is that of a login page.
pub(crate) fn is_authorize(path: &str) -> bool {
    path.trim_end_matches('/').ends_with(AUTHORIZE)
}

/// The requirement of a collection's server that redirects a request to a login.
pub(super) fn required(collection: &str, had_credential: bool) -> Found {
    let scope = format!("https://auth.globus.org/scopes/{collection}/https");
    let mut required = AuthorizationParameters::default().with_required_scopes([scope]);
    if had_credential {
        // The token is valid and its session is not. A consent alone would not change the session.
        required = required.with_prompt("login");
    }
    Found::at(Gare::new("ConsentRequired", required), Location::Redirect)
}
