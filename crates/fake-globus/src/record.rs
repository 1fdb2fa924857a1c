//! What the server saw: for assertions.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use axum::http::Method;

use super::service::Operation;

/// A request, and how it was answered.
///
/// ```
/// use fake_globus::{FakeGlobus, RequestKind};
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let globus = FakeGlobus::builder().start().await?;
/// reqwest::get(format!("{}v2/oauth2/userinfo", globus.auth_url())).await?;
///
/// let seen = globus.requests();
/// assert_eq!(seen[0].kind, RequestKind::UserInfo);
/// assert_eq!((seen[0].status, seen[0].user.as_deref()), (401, None));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeenRequest {
    /// What the request was for.
    pub kind: RequestKind,
    /// The name that the official SDK has for the call, such as `operation_ls`; `None` for what is not served.
    pub operation: Option<&'static str>,
    /// Its method.
    pub method: Method,
    /// Its path, still percent-encoded.
    pub path: String,
    /// Its query, still percent-encoded.
    pub query: Option<String>,
    /// The username (primary identity) whose token it carried; `None` without a valid one.
    pub user: Option<String>,
    /// The status that it was answered with.
    pub status: u16,
    /// Whether the answer asked for another login or consent.
    pub challenged: bool,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestKind {
    /// `GET /v2/oauth2/authorize`: a login begins.
    Authorize,
    /// The answer of a person on the login page.
    Decision,
    /// `POST /v2/oauth2/token`, whatever the grant.
    Token,
    /// `POST /v2/oauth2/token/revoke`.
    Revoke,
    /// `GET /v2/oauth2/userinfo`.
    UserInfo,
    /// Anything else of Auth.
    OtherAuth,
    /// `GET operation/endpoint/{id}/ls`.
    List,
    /// `GET operation/endpoint/{id}/stat`.
    Stat,
    /// `POST operation/endpoint/{id}/mkdir`.
    MakeDirectory,
    /// `POST transfer` or `POST delete`: a task is submitted.
    Submit,
    /// Anything else of Transfer.
    OtherTransfer,
    /// Anything of a service other than Auth and Transfer.
    OtherService,
}

impl RequestKind {
    pub(super) fn of(service: &str, operation: Option<Operation>) -> Self {
        match (service, operation.map_or("", |operation| operation.name)) {
            ("auth", "authorize") => Self::Authorize,
            ("auth", "decision") => Self::Decision,
            ("auth", "oauth2_token") => Self::Token,
            ("auth", "oauth2_revoke_token") => Self::Revoke,
            ("auth", "userinfo") => Self::UserInfo,
            ("auth", _) => Self::OtherAuth,
            ("transfer", "operation_ls") => Self::List,
            ("transfer", "operation_stat") => Self::Stat,
            ("transfer", "operation_mkdir") => Self::MakeDirectory,
            ("transfer", "submit_transfer" | "submit_delete") => Self::Submit,
            ("transfer", _) => Self::OtherTransfer,
            _ => Self::OtherService,
        }
    }
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Logins that a person approved.
    pub logins: usize,
    /// Logins that a person denied, or could not satisfy.
    pub declined: usize,
    /// Codes exchanged for tokens.
    pub code_grants: usize,
    /// Tokens renewed with a refresh token.
    pub refresh_grants: usize,
    /// Tokens given to a client for itself.
    pub client_grants: usize,
    /// Requests for a listing, refused ones too.
    pub listings: usize,
    /// Answers that asked for another login or consent.
    pub challenges: usize,
}

/// Something that a well-behaved program does not do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// What it was.
    pub kind: ViolationKind,
    /// The circumstances, without secrets.
    pub detail: String,
}

/// The kinds of [`Violation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViolationKind {
    /// A token that was never issued.
    UnknownToken,
    /// A token for another service.
    WrongResourceServer,
    /// The request said, in the header [`EXPECT_USER`](super::EXPECT_USER), whom it is for, and carried the token of
    /// somebody else.
    WrongUser,
    /// More than one `Authorization` header.
    SeveralCredentials,
    /// A token in a URL, where logs keep it.
    TokenInUrl,
    /// A code that was exchanged before, or never issued.
    CodeReused,
    /// A code of another client or for another redirect URI.
    WrongCode,
    /// A PKCE verifier that does not belong to the code.
    WrongVerifier,
    /// A refresh token of another client, or one that was never issued.
    WrongRefreshToken,
    /// A wrong client secret.
    WrongSecret,
}

/// How many requests and violations are kept, unless another number is set.
pub(super) const KEPT: usize = 100_000;

/// How many panics are kept: one is enough to fail a test.
const KEPT_PANICS: usize = 100;

/// Appends to a list of which only the last `kept` elements are kept.
pub(super) fn push_last<T>(list: &mut VecDeque<T>, last: T, kept: usize) {
    list.push_back(last);
    while list.len() > kept {
        list.pop_front();
    }
}

/// Everything noted so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) requests: VecDeque<SeenRequest>,
    /// How many requests and violations are kept.
    pub(super) kept: usize,
    pub(super) counts: Counts,
    pub(super) violations: VecDeque<Violation>,
    /// The messages of handlers that panicked.
    pub(super) panics: VecDeque<String>,
}

impl Log {
    pub(super) fn keeping(kept: usize) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// Forgets all but panics.
    pub(super) fn clear(&mut self) {
        *self = Self {
            panics: std::mem::take(&mut self.panics),
            ..Self::keeping(self.kept)
        };
    }

    pub(super) fn note(&mut self, seen: SeenRequest) {
        self.counts.listings += usize::from(seen.kind == RequestKind::List);
        self.counts.challenges += usize::from(seen.challenged);
        push_last(&mut self.requests, seen, self.kept);
    }

    pub(super) fn panic(&mut self, message: String) {
        push_last(&mut self.panics, message, KEPT_PANICS);
    }

    pub(super) fn violation(&mut self, violation: Violation) {
        push_last(&mut self.violations, violation, self.kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn log_keeps_the_last_panics() {
        let mut log = Log::keeping(1);
        for number in 0..=KEPT_PANICS {
            log.panic(number.to_string());
        }
        log.clear();
        assert_eq!(log.panics.len(), KEPT_PANICS);
        assert_eq!(log.panics.back(), Some(&KEPT_PANICS.to_string()));
    }
}
