use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use tokio::time::Instant;

use super::Target;
use crate::gare::{Found, Gare};
use crate::runtime::{self, LoginOf};

/// A requirement for a [`Reauthenticator`](super::Reauthenticator) to satisfy, and its request.
///
/// [`gare`](Self::gare) is the requirement of this login. If a service requires more than one login
/// can satisfy, the rest follows as another challenge after the replay.
///
/// ```
/// use globus_gare::gare::{AuthorizationParameters, Gare};
/// use globus_gare::reauth::{Challenge, Principal, Target};
///
/// // Made by hand, to test a `Reauthenticator`.
/// let required = AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
/// let target = Target::new("https://transfer.api.globus.org".parse()?, Principal::Session);
/// let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", required));
/// assert_eq!(
///     challenge.in_plain_words(),
///     "transfer.api.globus.org asks you to log in again with an identity from uchicago.edu.",
/// );
/// # Ok::<(), globus_gare::reauth::InvalidOrigin>(())
/// ```
#[derive(Clone)]
pub struct Challenge {
    pub(super) target: Target,
    pub(super) gare: Gare,
    pub(super) found: Vec<Found>,
    pub(super) status: StatusCode,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) attempt: u32,
    pub(super) generation: u64,
    pub(super) ends_at: Option<Instant>,
    pub(super) is_unauthenticated: bool,
    pub(super) held_scopes: BTreeSet<String>,
    pub(super) login_of: Option<LoginOf>,
}

impl Challenge {
    /// Makes a challenge by hand, to test a `Reauthenticator`: status `403` to a `GET` of the
    /// target's root.
    pub fn new(target: Target, gare: Gare) -> Self {
        Self {
            target,
            gare,
            found: Vec::new(),
            status: StatusCode::FORBIDDEN,
            method: Method::GET,
            uri: Uri::default(),
            attempt: 1,
            generation: 0,
            ends_at: None,
            is_unauthenticated: false,
            held_scopes: BTreeSet::new(),
            login_of: None,
        }
    }

    /// The service that sent the challenge, and the principal of the request.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The requirement to satisfy, merged from all requirements that one login can satisfy.
    pub fn gare(&self) -> &Gare {
        &self.gare
    }

    /// All requirements in the response body, and where they were found.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The method of the challenged request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URI of the challenged request. Its query may be private.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The number of this login among the logins of the request, starting at 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The generation of the credential that the request was sent with; 0 if the session had none.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How long the login may still take: the rest of
    /// [`login_timeout`](super::SessionBuilder::login_timeout). `None` if there is no limit, and
    /// for a challenge made by hand.
    pub fn time_left(&self) -> Option<Duration> {
        let ends_at = self.ends_at?;
        Some(ends_at.saturating_duration_since(Instant::now()))
    }

    /// Whether this is a plain `401`, without a GARE. Any login satisfies it, not only a fresh one.
    pub fn is_unauthenticated(&self) -> bool {
        self.is_unauthenticated
    }

    /// The required scopes that are new: this session required them of no earlier login of this
    /// principal. A program may want to ask its user before it grants them.
    pub fn new_scopes(&self) -> Vec<&str> {
        let required = self.gare.authorization_parameters.required_scopes.iter();
        let new = required.filter(|scope| !self.held_scopes.contains(*scope));
        new.map(String::as_str).collect()
    }

    /// Runs `future` as a part of this login: requests that it sends through the same session
    /// neither wait for the login nor start one.
    ///
    /// Needed only for a task that [`reauthenticate`](super::Reauthenticator::reauthenticate)
    /// spawns. Requests that `reauthenticate` sends itself are part of the login anyway.
    pub fn part_of_login<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let login_of = self.login_of;
        async move {
            match login_of {
                Some(login_of) => runtime::in_login(login_of, future).await,
                None => future.await,
            }
        }
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query of the URI may be private.
        f.debug_struct("Challenge")
            .field("target", &self.target)
            .field("gare", &self.gare)
            .field("found", &self.found)
            .field("status", &self.status)
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("attempt", &self.attempt)
            .field("generation", &self.generation)
            .finish()
    }
}
