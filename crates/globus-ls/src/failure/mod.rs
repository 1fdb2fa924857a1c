//! Failures of the program, or of a part of a listing: one line, with advice.

mod answer;
mod login;

pub(crate) use self::answer::Answer;
pub(crate) use self::login::LoginFailure;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Subcommand;
use globus_gare::reauth::{
    Challenge, GareOutcome, GaveUp, Origin, Principal, ReauthError, Target, printable,
};
use tower::timeout::error::Elapsed;
use url::Url;

use crate::options::Command;
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
    TimedOut(String),
    Unreachable {
        service: String,
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
    TokenRejected(Answer),
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
    pub(crate) fn timed_out(service: &Url) -> Self {
        Self::TimedOut(service.origin().ascii_serialization())
    }

    /// The service did not answer.
    pub(crate) fn network(error: &(dyn Error + 'static), service: &Url) -> Self {
        let http = error.downcast_ref::<reqwest::Error>();
        if error.is::<Elapsed>() || http.is_some_and(reqwest::Error::is_timeout) {
            return Self::timed_out(service);
        }
        let service = service.origin().ascii_serialization();
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let reason = printable(&cause.to_string());
        Self::Unreachable { service, reason }
    }

    /// The service answered with a challenge, and the login failed or did not take place.
    pub(crate) fn challenged(
        outcome: &GareOutcome,
        answer: Answer,
        service: &Url,
        remedy: Option<Remedy>,
    ) -> Self {
        let asked = in_plain_words(outcome, service);
        let (asked, gave_up) = match (asked, outcome.gave_up()) {
            (Some(asked), Some(gave_up)) => (asked, gave_up),
            (None, Some(GaveUp::Failed(error) | GaveUp::Unavailable(error))) => {
                return Self::login(error);
            }
            _ if answer.is_unauthorized() => return Self::TokenRejected(answer),
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
            Self::NoListing { .. } | Self::TimedOut(_) => true,
            _ => false,
        }
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
            | Self::TokenRejected(_)
            | Self::Required { .. } => LOGIN,
            Self::NotKnown { .. } => UNKNOWN,
            Self::Login(login) if login.needs_person() => LOGIN,
            _ => ERROR,
        }
    }

    /// What failed.
    fn message(&self) -> String {
        match self {
            Self::Interrupted | Self::Reported => String::new(),
            Self::Usage(line) | Self::Error(line) | Self::NotReady { words: line, .. } => {
                line.clone()
            }
            Self::NotKnown { words, id } => format!("unknown for collection {id}: {words}"),
            Self::NoId(id) => format!("'{}' is not a collection id", printable(id)),
            Self::NoClient => "no client to log in with".to_owned(),
            Self::NoToken(_) => "there is no token".to_owned(),
            Self::LoggedOut => "nobody is logged in".to_owned(),
            Self::NotWritten(error) => format!("the listing cannot be written: {error}"),
            Self::Untrusted(service) => format!(
                "GLOBUS_SDK_SERVICE_URL_TRANSFER ({service}) cannot be trusted with a token: \
                 plain http is for this machine only"
            ),
            Self::TimedOut(service) => format!("{service} did not answer in time"),
            Self::Unreachable { service, reason } => {
                format!("{service} cannot be reached ({reason})")
            }
            Self::NoListing { path, reason } => {
                format!("the response of the service for {path} is not a listing ({reason})")
            }
            Self::NoEntry { path } => {
                format!("the listing of {path} contains an entry without a name")
            }
            Self::Answered(answer) => answer.summary(),
            Self::TokenRejected(answer) => {
                format!("the token was not accepted: {}", answer.service_message())
            }
            Self::Login(login) => login.message(),
            Self::NotRevoked(reason) => {
                format!("you are logged out here, but the tokens are not revoked: {reason}")
            }
            Self::Required { asked, reason } => match reason {
                NoLogin::NotPossible(_) => asked.clone(),
                NoLogin::InteractionRequired(reason) => format!("{asked} But {reason}"),
                NoLogin::NoProgress => format!("{asked} Your last login did not satisfy this."),
                NoLogin::Other(reason) => format!("{asked} No login took place: {reason}"),
            },
        }
    }

    /// What the user can do. `None` if [`message`](Self::message) says it, or nothing helps.
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NoId(name) if Command::has_subcommand(name) => {
                return Some(format!(
                    "write 'globus-ls {name}' first, and the options after it"
                ));
            }
            Self::NoId(_) => "give a UUID, or no id for the demonstration",
            Self::NoClient => {
                "give --client-id ID or set GLOBUS_CLIENT_ID (register a client at \
                 https://app.globus.org/settings/developers)"
            }
            Self::NoToken(remedy) => {
                return Some(format!(
                    "set GLOBUS_ACCESS_TOKEN, or {}",
                    match remedy {
                        Some(Remedy::NameClient) => "give --client-id ID to log in",
                        Some(Remedy::AllowLogin) => "run globus-ls again without --no-login",
                        None => "log in",
                    }
                ));
            }
            Self::LoggedOut => "run 'globus-ls login'",
            Self::NotReady { id, .. } => {
                return Some(format!("run 'globus-ls login --collection {id}'"));
            }
            Self::Untrusted(_) => "give an https URL",
            Self::TimedOut(_) => "try again, or with a longer --timeout",
            Self::Unreachable { .. } => "check the network, and the URL of the service",
            Self::Answered(answer) => return Some(answer.advice()),
            Self::TokenRejected(_) => {
                "set GLOBUS_ACCESS_TOKEN to a valid Transfer token, or unset it and give --client-id ID"
            }
            Self::Login(login) => login.advice()?,
            Self::NotRevoked(_) => "run 'globus-ls logout' again to revoke them",
            Self::Required { reason, .. } => match reason {
                NoLogin::NotPossible(Some(Remedy::AllowLogin)) => {
                    "run globus-ls again without --no-login"
                }
                NoLogin::NotPossible(Some(Remedy::NameClient)) => {
                    "run globus-ls again with --client-id ID, or with a newer GLOBUS_ACCESS_TOKEN"
                }
                NoLogin::NotPossible(None) => "log in",
                NoLogin::NoProgress => "log in with another identity",
                NoLogin::InteractionRequired(_) | NoLogin::Other(_) => return None,
            },
            Self::Interrupted
            | Self::Reported
            | Self::Usage(_)
            | Self::Error(_)
            | Self::NotKnown { .. }
            | Self::NotWritten(_)
            | Self::NoListing { .. }
            | Self::NoEntry { .. } => return None,
        };
        Some(advice.to_owned())
    }

    /// The message and the advice on one line, for a person. Empty if nothing is to be said.
    pub(crate) fn line(&self) -> String {
        let mut line = self.message();
        if let Some(advice) = self.advice() {
            // A requirement is whole sentences already.
            line.push_str(match line.ends_with('.') {
                true => " To continue, ",
                false => "; ",
            });
            line.push_str(&advice);
        }
        line
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
