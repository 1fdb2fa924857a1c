//! Failures of the program, or of a part of a listing: one line, with advice.

mod answer;
mod login;
mod words;

pub(crate) use self::answer::Answer;
pub(crate) use self::login::LoginFailure;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use globus_gare::reauth::{
    Challenge, GareOutcome, GaveUp, Origin, Principal, ReauthError, Target, printable,
};
use tower::timeout::error::Elapsed;
use url::Url;

use crate::place::Place;
use crate::terminal;

const ERROR: u8 = 1;
const USAGE: u8 = 2;
const LOGIN: u8 = 4;
const UNKNOWN: u8 = 5;
/// What shells report for a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// A failure. It has no `Display`: a person reads [`line`](Failure::line).
pub(crate) enum Failure {
    /// The user pressed Ctrl-C. Nothing is printed.
    Interrupted,
    /// Each failed part was reported already.
    Reported,
    Usage(String),
    NoId(String),
    NoClient,
    NoToken(Option<Remedy>),
    LoggedOut,
    /// The login is not enough for the collection with this id.
    NotReady {
        words: String,
        id: String,
    },
    /// Whether the login is enough for the collection with this id is unknown.
    NotKnown {
        words: String,
        id: String,
    },
    /// A failure without advice.
    Error(String),
    NotWritten(io::Error),
    Untrusted(Url),
    /// The service sent nothing in time.
    TimedOut {
        service: String,
        path: String,
    },
    Unreachable {
        service: String,
        reason: String,
    },
    /// The connection ended before the listing did.
    BrokenOff {
        path: String,
        reason: String,
    },
    NoListing {
        path: String,
        reason: String,
    },
    /// An entry of a listing has no name.
    NoEntry {
        path: String,
    },
    /// The service answered with an error that a login cannot mend.
    Answered(Answer),
    /// The service did not accept the token.
    TokenRejected {
        answer: Answer,
        token: Token,
    },
    /// A login failed: one that the program began, or one that the service required.
    Login(LoginFailure),
    /// The tokens are deleted here, but still valid at Globus Auth.
    NotRevoked(String),
    /// The service requires a login, and no login took place.
    Required {
        asked: String,
        reason: NoLogin,
    },
}

/// Why a required login did not take place.
pub(crate) enum NoLogin {
    NotPossible(Option<Remedy>),
    InteractionRequired(String),
    NoProgress,
    Other(String),
}

/// Where the token of a request is from.
#[derive(Clone, Copy)]
pub(crate) enum Token {
    Environment,
    Login,
}

/// What the user has to change so that a login is possible.
#[derive(Clone, Copy)]
pub(crate) enum Remedy {
    AllowLogin,
    NameClient,
}

impl Failure {
    pub(crate) fn usage(line: &str) -> Self {
        Self::Usage(line.to_owned())
    }

    /// `globus-ls login --no-login`.
    pub(crate) fn login_disallowed() -> Self {
        Self::usage("run 'globus-ls login' without --no-login")
    }

    pub(crate) fn error(line: impl Into<String>) -> Self {
        Self::Error(line.into())
    }

    /// A value of the environment or the command line cannot be used.
    pub(crate) fn setup(error: &dyn Error) -> Self {
        Self::Error(chain(error))
    }

    /// `globus-login` failed: most often a login that the program began.
    pub(crate) fn login(error: &ReauthError) -> Self {
        Self::Login(LoginFailure::of(error))
    }

    /// A logout failed.
    pub(crate) fn logout(error: &ReauthError) -> Self {
        match LoginFailure::of(error) {
            kept @ (LoginFailure::Damaged(_) | LoginFailure::StoreUnusable(_)) => Self::Login(kept),
            _ => Self::NotRevoked(chain(error)),
        }
    }

    pub(crate) fn no_entry(place: &Place) -> Self {
        let path = place.shown();
        Self::NoEntry { path }
    }

    /// The service sent nothing in time.
    pub(crate) fn timed_out(service: &Url, place: &Place) -> Self {
        let service = service.origin().ascii_serialization();
        let path = place.shown();
        Self::TimedOut { service, path }
    }

    /// The service did not answer, or not to the end.
    pub(crate) fn network(error: &(dyn Error + 'static), service: &Url, place: &Place) -> Self {
        let http = error.downcast_ref::<reqwest::Error>();
        if error.is::<Elapsed>() || http.is_some_and(reqwest::Error::is_timeout) {
            return Self::timed_out(service, place);
        }
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let reason = printable(&cause.to_string());
        if http.is_some_and(|error| !error.is_connect()) {
            let path = place.shown();
            return Self::BrokenOff { path, reason };
        }
        let service = service.origin().ascii_serialization();
        Self::Unreachable { service, reason }
    }

    /// The service answered with a challenge, and the login failed or did not take place.
    pub(crate) fn challenged(
        outcome: &GareOutcome,
        answer: Answer,
        service: &Url,
        token: Token,
        remedy: Option<Remedy>,
    ) -> Self {
        let asked = in_plain_words(outcome, service);
        let (asked, gave_up) = match (asked, outcome.gave_up()) {
            (Some(asked), Some(gave_up)) => (asked, gave_up),
            (None, Some(GaveUp::Failed(error) | GaveUp::Unavailable(error))) => {
                return Self::login(error);
            }
            _ if answer.is_unauthorized() => return Self::TokenRejected { answer, token },
            _ => return Self::Answered(answer),
        };
        let reason = match gave_up {
            GaveUp::NoPrompt => NoLogin::NotPossible(remedy),
            GaveUp::Failed(error) if error.is_interaction_required() => {
                NoLogin::InteractionRequired(chain(error))
            }
            GaveUp::Failed(error) | GaveUp::Unavailable(error) => return Self::login(error),
            GaveUp::NoProgress => NoLogin::NoProgress,
            other => NoLogin::Other(other.to_string()),
        };
        Self::Required { asked, reason }
    }

    /// Whether other directories of the collection can still be listed.
    pub(crate) fn is_of_one_directory(&self) -> bool {
        match self {
            Self::Answered(answer) => !answer.is_too_many(),
            Self::NoListing { .. } | Self::BrokenOff { .. } | Self::TimedOut { .. } => true,
            _ => false,
        }
    }

    /// The directory that could not be listed.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Answered(answer) => Some(answer.path()),
            Self::TimedOut { path, .. }
            | Self::BrokenOff { path, .. }
            | Self::NoListing { path, .. }
            | Self::NoEntry { path } => Some(path),
            _ => None,
        }
    }

    /// Whether the same login may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Login(login) if login.is_passing())
    }

    /// Whether a person was asked to log in, and did not.
    pub(crate) fn is_unanswered_login(&self) -> bool {
        matches!(self, Self::Login(login) if login.is_unanswered())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Interrupted => INTERRUPTED,
            Self::Usage(_) | Self::NoId(_) | Self::NoClient => USAGE,
            Self::NoToken(_)
            | Self::LoggedOut
            | Self::NotReady { .. }
            | Self::TokenRejected { .. }
            | Self::Required { .. } => LOGIN,
            Self::NotKnown { .. } => UNKNOWN,
            Self::Login(login) if login.needs_person() => LOGIN,
            _ => ERROR,
        }
    }

    /// Prints the line to stderr.
    pub(crate) fn print(&self) {
        let line = self.line();
        if !line.is_empty() {
            terminal::print_error(&line);
        }
    }

    /// Prints the line, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        self.print();
        ExitCode::from(self.code())
    }
}

/// The unsatisfied requirement in whole sentences, for a person.
fn in_plain_words(outcome: &GareOutcome, service: &Url) -> Option<String> {
    let gare = outcome.found().first()?.gare.clone();
    let origin: Origin = service.as_str().parse().ok()?;
    let challenge = Challenge::new(Target::new(origin, Principal::Session), gare);
    let mut words = challenge.in_plain_words();
    if !words.ends_with('.') {
        words.push('.');
    }
    Some(words)
}

/// An error and its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = printable(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {}", printable(&error.to_string())));
        cause = error.source();
    }
    text
}
