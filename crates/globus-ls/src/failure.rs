//! What went wrong, in one line that says what to do.

use std::error::Error;
use std::process::ExitCode;

use globus_gare::reauth::{
    Challenge, GareOutcome, GaveUp, Origin, Principal, ReauthError, Target, printable,
};
use globus_login::StoreError;
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::place::Place;
use crate::terminal;

const ERROR: u8 = 1;
const USAGE: u8 = 2;
const LOGIN: u8 = 4;
/// As shells have it for a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// The end of the program.
pub(crate) struct Failure {
    code: u8,
    /// Nothing where there is nothing to say.
    line: String,
    dead_token: bool,
}

/// What stands in the way of a login.
#[derive(Clone, Copy)]
pub(crate) enum Remedy {
    AllowLogin,
    NameClient,
}

impl Remedy {
    fn advice(self) -> &'static str {
        match self {
            Self::AllowLogin => "run it again without --no-login",
            Self::NameClient => {
                "run it again with --client-id ID to log in here, or with a newer GLOBUS_ACCESS_TOKEN"
            }
        }
    }
}

/// What the Transfer service says about an error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    code: String,
    message: String,
}

impl Failure {
    fn new(code: u8, line: impl Into<String>) -> Self {
        Self {
            code,
            line: line.into(),
            dead_token: false,
        }
    }

    pub(crate) fn usage(line: &str) -> Self {
        Self::new(USAGE, line)
    }

    /// The user pressed Ctrl-C, and knows it.
    pub(crate) fn interrupted() -> Self {
        Self::new(INTERRUPTED, "")
    }

    pub(crate) fn with_dead_token(self, dead_token: bool) -> Self {
        Self { dead_token, ..self }
    }

    /// Whether the service did not accept the token.
    pub(crate) fn token_is_dead(&self) -> bool {
        self.dead_token
    }

    pub(crate) fn error(line: impl Into<String>) -> Self {
        Self::new(ERROR, line)
    }

    /// Tells the user, and the shell.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.line.is_empty() {
            terminal::complain(&self.line);
        }
        ExitCode::from(self.code)
    }

    pub(crate) fn no_id(id: &str) -> Self {
        let id = printable(id);
        Self::new(
            USAGE,
            format!("'{id}' is not a collection id: give a UUID, or nothing for a demonstration"),
        )
    }

    pub(crate) fn no_token(remedy: Option<Remedy>) -> Self {
        let advice = match remedy {
            Some(Remedy::NameClient) => "give --client-id ID to log in here",
            Some(remedy) => remedy.advice(),
            None => "log in",
        };
        Self::new(
            LOGIN,
            format!("there is no token: set GLOBUS_ACCESS_TOKEN, or {advice}"),
        )
    }

    pub(crate) fn no_client() -> Self {
        Self::usage(
            "no client to log in with: give --client-id ID or set GLOBUS_CLIENT_ID (register one at \
             https://app.globus.org/settings/developers)",
        )
    }

    pub(crate) fn nobody() -> Self {
        Self::new(LOGIN, "nobody is logged in: run 'globus-ls login'")
    }

    /// Something about the login that was no login.
    pub(crate) fn account(error: &ReauthError) -> Self {
        Self::error(of_the_store(error).unwrap_or_else(|| chain(error)))
    }

    pub(crate) fn no_listing(error: serde_json::Error) -> Self {
        Self::error(format!("the service's answer is no listing ({error})"))
    }

    /// What the environment or the command line says cannot be used.
    pub(crate) fn setup(error: &dyn std::error::Error) -> Self {
        Self::error(chain(error))
    }

    pub(crate) fn untrusted(service: &Url) -> Self {
        Self::error(format!(
            "GLOBUS_SDK_SERVICE_URL_TRANSFER ({service}) cannot be trusted with a token: \
             plain http is for this machine only, give an https URL"
        ))
    }

    /// There was no answer.
    pub(crate) fn network(error: &reqwest::Error, service: &Url) -> Self {
        let service = service.origin().ascii_serialization();
        if error.is_timeout() {
            return Self::error(format!(
                "{service} did not answer in time: try again, or with a longer --timeout"
            ));
        }
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let cause = printable(&cause.to_string());
        Self::error(format!(
            "{service} cannot be reached ({cause}): check the network, and the service's URL"
        ))
    }

    /// A login that the program began by itself did not come about.
    pub(crate) fn login(error: &ReauthError) -> Self {
        let line = if error.is_declined() {
            // Globus Auth may have refused, and said why.
            let said = error
                .source()
                .map(|reason| format!(" (Globus Auth says: {})", printable(&reason.to_string())));
            format!(
                "the login was declined{}: run it again and approve it to see the listing",
                said.unwrap_or_default()
            )
        } else if error.is_interaction_required() {
            // Its source says what to do.
            chain(error)
        } else if let Some(line) = of_the_store(error) {
            line
        } else {
            format!("{}: run it again to log in", chain(error))
        };
        Self::new(LOGIN, line)
    }

    /// The service asks for a login that did not come about.
    pub(crate) fn refused(
        outcome: &GareOutcome,
        status: StatusCode,
        body: &[u8],
        place: &Place,
        service: &Url,
        remedy: Option<Remedy>,
    ) -> Self {
        let Some(asked) = in_plain_words(outcome, service) else {
            return Self::answered(status, body, place);
        };
        let line = match outcome.gave_up() {
            None => return Self::answered(status, body, place),
            Some(GaveUp::NoPrompt) => format!(
                "{asked} To do so, {}",
                remedy.map_or("log in", Remedy::advice)
            ),
            Some(GaveUp::Failed(error)) if error.is_interaction_required() => {
                format!("{asked} But {}", chain(error))
            }
            Some(GaveUp::Failed(error)) => return Self::login(error),
            Some(GaveUp::NoProgress) => {
                format!("{asked} The login did not satisfy it: log in as somebody else")
            }
            Some(refusal) => format!("{asked} No login took place, since {refusal}"),
        };
        Self::new(LOGIN, line)
    }

    /// The service answered with an error that no login mends.
    pub(crate) fn answered(status: StatusCode, body: &[u8], place: &Place) -> Self {
        let complaint: Complaint = serde_json::from_slice(body).unwrap_or_default();
        let id = place.collection;
        let path = place
            .path
            .as_deref()
            .map_or("the default directory".to_owned(), printable);
        // What follows the first line is for the operators of the collection.
        let message = complaint.message.lines().next().unwrap_or_default();
        let told = match (printable(message), printable(&complaint.code)) {
            (message, code) if message.is_empty() && code.is_empty() => {
                format!("status {}", status.as_u16())
            }
            (message, code) if message.is_empty() => code,
            (message, code) if code.is_empty() => message,
            (message, code) => format!("{message} ({code})"),
        };
        if status == StatusCode::UNAUTHORIZED {
            let advice = "set GLOBUS_ACCESS_TOKEN to a valid Transfer token, or unset it and give --client-id ID";
            return Self::new(
                LOGIN,
                format!("the token was not accepted: {told}: {advice}"),
            );
        }
        let code = complaint.code.as_str();
        Self::error(
            if code.contains("EndpointNotFound") || code.contains("EndpointDeleted") {
                format!(
                    "there is no collection {id}: {told}: look its id up at https://app.globus.org/collections"
                )
            } else if code.contains("NotFound") {
                format!(
                    "{path} was not found on {id}: {told}: list its parent directory to see what there is"
                )
            } else if status == StatusCode::FORBIDDEN {
                format!(
                    "{path} on {id} may not be listed: {told}: ask the collection's owner for access"
                )
            } else if status.is_server_error() {
                format!("{path} on {id} could not be listed: {told}: try again later")
            } else {
                format!(
                    "{path} on {id} could not be listed: {told}: check the collection and the path"
                )
            },
        )
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

/// What is wrong with the stored login, and what to do about it: another attempt would fail as well.
fn of_the_store(error: &ReauthError) -> Option<String> {
    let store: &StoreError = error.source()?.downcast_ref()?;
    let line = chain(store);
    Some(if store.is_damaged() {
        format!("{line}: `globus-ls login --force` or `globus-ls logout` puts it aside")
    } else {
        line
    })
}
