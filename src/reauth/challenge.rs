use std::fmt;

use http::{Method, StatusCode, Uri};

use super::Target;
use super::describe::{self, Says};
use crate::gare::{Found, Gare, Location};

/// A requirement as it met one request: what a [`Reauthenticator`](super::Reauthenticator) is given.
///
/// [`gare`](Self::gare) is the one requirement to satisfy now. Where a service,
/// or several waiting requests, asked for more than one login can give, the rest
/// comes as a challenge of its own after the replay.
///
/// ```
/// use globus_gare::gare::{AuthorizationParameters, Gare};
/// use globus_gare::reauth::{Challenge, Identity, Target};
///
/// // By hand, to try a `Reauthenticator` with.
/// let asked = AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
/// let target = Target::new("https://transfer.api.globus.org".parse()?, Identity::Session);
/// let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", asked));
/// assert_eq!(
///     challenge.in_plain_words(),
///     "transfer.api.globus.org asks you to log in again with an identity from uchicago.edu.",
/// );
/// # Ok::<(), globus_gare::reauth::InvalidOrigin>(())
/// ```
#[derive(Clone)]
pub struct Challenge {
    target: Target,
    gare: Gare,
    found: Vec<Found>,
    status: StatusCode,
    method: Method,
    uri: Uri,
    attempt: u32,
    generation: u64,
}

impl Challenge {
    /// A challenge made by hand, to try a `Reauthenticator` with: a `GET` of the
    /// target's root that was refused with `403`.
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
        }
    }

    pub(crate) fn of_request(target: Target, gare: Gare, method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            ..Self::new(target, gare)
        }
    }

    pub(crate) fn answered(mut self, status: StatusCode, found: Vec<Found>) -> Self {
        self.status = status;
        self.found = found;
        self
    }

    pub(crate) fn at(mut self, attempt: u32, generation: u64) -> Self {
        self.attempt = attempt;
        self.generation = generation;
        self
    }

    /// The service that refused, and whose request it was.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The requirement to satisfy, merged from all that can be asked for in one login.
    pub fn gare(&self) -> &Gare {
        &self.gare
    }

    /// Everything the response body asked for, and where it was found.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The status that the service answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The method of the request that was refused.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URI of the request that was refused. Its query may be private.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Which login of the request this is, from 1 on.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How many credentials the identity had obtained when the request was sent; 0 for none.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What is asked, in a sentence or two for a person at a terminal.
    ///
    /// What the service itself says (`session_message`) is quoted with control
    /// characters removed and cut to 300 characters, since it comes from a stranger.
    /// A requirement that a service passes on from a GridFTP server is said to come
    /// from the collection's server.
    pub fn in_plain_words(&self) -> String {
        describe::describe(
            self.target.origin().host(),
            self.says(),
            self.gare.message().as_deref(),
            &self.gare.authorization_parameters,
        )
    }
}

impl Challenge {
    /// Who states what this asks for: whoever wrote the document that its message is in.
    fn says(&self) -> Says {
        let message = self.gare.message();
        let mut told = self.found.iter();
        match told.find(|found| found.gare.message() == message) {
            Some(found) => match found.location {
                Location::GridFtp(_) => Says::Collection,
                Location::Cause(_) => Says::ActionProvider,
                _ => Says::Service,
            },
            None => Says::Service,
        }
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query of the URI stays out: it is the caller's business.
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
