//! A failure in words: what failed, and what to do.

use clap::Subcommand;
use globus_gare::reauth::printable;

use super::{Failure, NoLogin, Remedy, Token};
use crate::options::Command;

impl Failure {
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
            Self::TimedOut { service, path } => {
                format!("{service} did not send the listing of {path} in time")
            }
            Self::Unreachable { service, reason } => {
                format!("{service} cannot be reached ({reason})")
            }
            Self::BrokenOff { path, reason } => {
                format!("the listing of {path} broke off ({reason})")
            }
            Self::NoListing { path, reason } => {
                format!("the response of the service for {path} is not a listing ({reason})")
            }
            Self::NoEntry { path } => {
                format!("the listing of {path} contains an entry without a name")
            }
            Self::Answered(answer) => answer.summary(),
            Self::TokenRejected { answer, .. } => {
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
            Self::TimedOut { .. } => "try again, or with a longer --timeout",
            Self::BrokenOff { .. } => "try again",
            Self::Unreachable { .. } => "check the network, and the URL of the service",
            Self::Answered(answer) => return Some(answer.advice()),
            Self::TokenRejected { token, .. } => match token {
                Token::Environment => {
                    "set GLOBUS_ACCESS_TOKEN to a valid Transfer token, or unset it and give --client-id ID"
                }
                Token::Login => "run 'globus-ls login --force'",
            },
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
}
