//! Why the program, or a part of a listing, failed: one line, with advice.

mod answer;
mod login;

pub(crate) use self::answer::Answer;
pub(crate) use self::login::LoginFailure;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use globus_gare::reauth::{
    Challenge, GareOutcome, GaveUp, Origin, Principal, ReauthError, Target, printable,
};
use url::Url;

use crate::place::Place;
use crate::terminal;

const ERROR: u8 = 1;
const USAGE: u8 = 2;
const LOGIN: u8 = 4;
const UNKNOWN: u8 = 5;
/// As shells have it for a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// What failed. `Display` is not implemented: [`line`](Failure::line) is what a person reads.
pub(crate) enum Failure {
    /// The user pressed Ctrl-C, and knows it.
    Interrupted,
    /// Each part that failed was reported already.
    Reported,
    Usage(String),
    NoId(String),
    NoClient,
    NoToken(Option<Remedy>),
    Nobody,
    /// The login will not do for the collection with this id.
    NotReady {
        words: String,
        id: String,
    },
    /// Nobody can know whether it will.
    NotKnown(String),
    /// Advice would add nothing.
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
    /// A member of a listing is no entry.
    NoEntry {
        path: String,
    },
    /// The service answered with an error that no login mends.
    Answered(Answer),
    /// The service did not accept the token.
    DeadToken(Answer),
    /// A login failed that the program began by itself, or that the service asked for.
    Login(LoginFailure),
    /// The tokens are forgotten here, and good at Globus Auth.
    NotRevoked(String),
    /// The service asks for a login that did not take place.
    Required {
        asked: String,
        reason: NoLogin,
    },
}

/// Why no login took place that the service asked for.
pub(crate) enum NoLogin {
    NotPossible(Option<Remedy>),
    NobodyToAsk(String),
    NoProgress,
    Other(String),
}

/// What stands in the way of a login.
#[derive(Clone, Copy)]
pub(crate) enum Remedy {
    AllowLogin,
    NameClient,
}

impl Failure {
    pub(crate) fn usage(line: &str) -> Self {
        Self::Usage(line.to_owned())
    }

    pub(crate) fn error(line: impl Into<String>) -> Self {
        Self::Error(line.into())
    }

    /// What the environment or the command line says cannot be used.
    pub(crate) fn setup(error: &dyn Error) -> Self {
        Self::Error(chain(error))
    }

    /// A login that the program began by itself failed, or something else that `globus-login` does.
    pub(crate) fn login(error: &ReauthError) -> Self {
        Self::Login(LoginFailure::of(error))
    }

    /// A logout failed.
    pub(crate) fn logout(error: &ReauthError) -> Self {
        match LoginFailure::of(error) {
            kept @ (LoginFailure::Damaged(_) | LoginFailure::NotKept(_)) => Self::Login(kept),
            _ => Self::NotRevoked(chain(error)),
        }
    }

    pub(crate) fn no_entry(place: &Place) -> Self {
        let path = place.shown();
        Self::NoEntry { path }
    }

    /// There was no answer.
    pub(crate) fn network(error: &reqwest::Error, service: &Url) -> Self {
        let service = service.origin().ascii_serialization();
        if error.is_timeout() {
            return Self::TimedOut(service);
        }
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let reason = printable(&cause.to_string());
        Self::Unreachable { service, reason }
    }

    /// The service asks for a login that did not take place, or failed.
    pub(crate) fn refused(
        outcome: &GareOutcome,
        answer: Answer,
        service: &Url,
        remedy: Option<Remedy>,
    ) -> Self {
        let asked = in_plain_words(outcome, service);
        let (asked, gave_up) = match (asked, outcome.gave_up()) {
            (Some(asked), Some(gave_up)) => (asked, gave_up),
            (None, Some(GaveUp::Failed(error))) => return Self::login(error),
            _ if answer.is_unauthorized() => return Self::DeadToken(answer),
            _ => return Self::Answered(answer),
        };
        let reason = match gave_up {
            GaveUp::NoPrompt => NoLogin::NotPossible(remedy),
            GaveUp::Failed(error) if error.is_interaction_required() => {
                NoLogin::NobodyToAsk(chain(error))
            }
            GaveUp::Failed(error) => return Self::login(error),
            GaveUp::NoProgress => NoLogin::NoProgress,
            other => NoLogin::Other(other.to_string()),
        };
        Self::Required { asked, reason }
    }

    /// Whether other directories of the same collection may well be listed.
    pub(crate) fn is_of_one_directory(&self) -> bool {
        matches!(
            self,
            Self::Answered(_) | Self::NoListing { .. } | Self::NoEntry { .. } | Self::TimedOut(_)
        )
    }

    fn code(&self) -> u8 {
        match self {
            Self::Interrupted => INTERRUPTED,
            Self::Usage(_) | Self::NoId(_) | Self::NoClient => USAGE,
            Self::NoToken(_)
            | Self::Nobody
            | Self::NotReady { .. }
            | Self::DeadToken(_)
            | Self::Required { .. } => LOGIN,
            Self::NotKnown(_) => UNKNOWN,
            Self::Login(login) if login.takes_a_person() => LOGIN,
            _ => ERROR,
        }
    }

    /// What happened.
    fn what(&self) -> String {
        match self {
            Self::Interrupted | Self::Reported => String::new(),
            Self::Usage(line) | Self::Error(line) | Self::NotReady { words: line, .. } => {
                line.clone()
            }
            Self::NotKnown(words) => format!("nobody can know: {words}"),
            Self::NoId(id) => format!("'{}' is not a collection id", printable(id)),
            Self::NoClient => "no client to log in with".to_owned(),
            Self::NoToken(_) => "there is no token".to_owned(),
            Self::Nobody => "nobody is logged in".to_owned(),
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
                format!("the service's answer for {path} is no listing ({reason})")
            }
            Self::NoEntry { path } => {
                format!("the service's listing of {path} has an entry without a name")
            }
            Self::Answered(answer) => answer.what(),
            Self::DeadToken(answer) => format!("the token was not accepted: {}", answer.told()),
            Self::Login(login) => login.what(),
            Self::NotRevoked(reason) => {
                format!("you are logged out here, but tokens are not revoked: {reason}")
            }
            Self::Required { asked, reason } => match reason {
                NoLogin::NotPossible(_) => asked.clone(),
                NoLogin::NobodyToAsk(reason) => format!("{asked} But {reason}"),
                NoLogin::NoProgress => format!("{asked} The login did not satisfy it"),
                NoLogin::Other(reason) => format!("{asked} No login took place, since {reason}"),
            },
        }
    }

    /// What helps; nothing where [`what`](Self::what) says it, or nothing does.
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NoId(_) => "give a UUID, or nothing for a demonstration",
            Self::NoClient => {
                "give --client-id ID or set GLOBUS_CLIENT_ID (register one at \
                 https://app.globus.org/settings/developers)"
            }
            Self::NoToken(remedy) => {
                return Some(format!(
                    "set GLOBUS_ACCESS_TOKEN, or {}",
                    match remedy {
                        Some(Remedy::NameClient) => "give --client-id ID to log in here",
                        Some(Remedy::AllowLogin) => "run it again without --no-login",
                        None => "log in",
                    }
                ));
            }
            Self::Nobody => "run 'globus-ls login'",
            Self::NotReady { id, .. } => {
                return Some(format!("run 'globus-ls login --collection {id}'"));
            }
            Self::Untrusted(_) => "give an https URL",
            Self::TimedOut(_) => "try again, or with a longer --timeout",
            Self::Unreachable { .. } => "check the network, and the service's URL",
            Self::Answered(answer) => return Some(answer.advice()),
            Self::DeadToken(_) => {
                "set GLOBUS_ACCESS_TOKEN to a valid Transfer token, or unset it and give --client-id ID"
            }
            Self::Login(login) => login.advice()?,
            Self::NotRevoked(_) => "run 'globus-ls logout' again to revoke them",
            Self::Required { reason, .. } => match reason {
                NoLogin::NotPossible(Some(Remedy::AllowLogin)) => "run it again without --no-login",
                NoLogin::NotPossible(Some(Remedy::NameClient)) => {
                    "run it again with --client-id ID to log in here, or with a newer GLOBUS_ACCESS_TOKEN"
                }
                NoLogin::NotPossible(None) => "log in",
                NoLogin::NoProgress => "log in as somebody else",
                NoLogin::NobodyToAsk(_) | NoLogin::Other(_) => return None,
            },
            Self::Interrupted
            | Self::Reported
            | Self::Usage(_)
            | Self::Error(_)
            | Self::NotKnown(_)
            | Self::NotWritten(_)
            | Self::NoListing { .. }
            | Self::NoEntry { .. } => return None,
        };
        Some(advice.to_owned())
    }

    /// What a person reads: one line, or nothing where there is nothing to say.
    pub(crate) fn line(&self) -> String {
        let mut line = self.what();
        if let Some(advice) = self.advice() {
            // A requirement is told in whole sentences.
            line.push_str(if line.ends_with('.') {
                " To go on, "
            } else {
                ": "
            });
            line.push_str(&advice);
        }
        line
    }

    /// Tells the user.
    pub(crate) fn tell(&self) {
        let line = self.line();
        if !line.is_empty() {
            terminal::complain(&line);
        }
    }

    /// Tells the user, and the shell.
    pub(crate) fn report(&self) -> ExitCode {
        self.tell();
        ExitCode::from(self.code())
    }
}

/// The requirement that was not met, told to a person.
fn in_plain_words(outcome: &GareOutcome, service: &Url) -> Option<String> {
    let gare = outcome.found().first()?.gare.clone();
    let origin: Origin = service.as_str().parse().ok()?;
    Some(Challenge::new(Target::new(origin, Principal::Session), gare).in_plain_words())
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = printable(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {}", printable(&error.to_string())));
        cause = error.source();
    }
    text
}
