//! The log of a server: requests, counts and violations, for assertions.

use std::collections::VecDeque;
use std::fmt;

use axum::http::Method;
use serde::{Deserialize, Serialize};

use super::service::Operation;

/// A request to the server, with the outcome.
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
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// The kind of the request.
    pub kind: RequestKind,
    /// The name of the call in the official SDK, such as `operation_ls`. `None` if the endpoint is
    /// not served.
    pub operation: Option<&'static str>,
    /// The method.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: String,
    /// The query, percent-encoded. `Debug` masks codes, tokens and secrets in it.
    pub query: Option<String>,
    /// The username (primary identity) that the token belongs to. `None` without a valid token.
    pub user: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// Whether the response was a challenge.
    pub challenged: bool,
}

/// The parameters of a query whose values `Debug` masks.
const SECRETS: [&str; 6] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
];

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenRequest")
            .field("kind", &self.kind)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query.as_deref().map(masked))
            .field("user", &self.user)
            .field("status", &self.status)
            .field("challenged", &self.challenged)
            .finish()
    }
}

/// A query without the values of [`SECRETS`].
fn masked(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRETS.contains(&name) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestKind {
    /// `GET /v2/oauth2/authorize`: a login begins.
    Authorize,
    /// The form of the login page.
    Decision,
    /// `POST /v2/oauth2/token`, with any grant.
    Token,
    /// `POST /v2/oauth2/token/revoke`.
    Revoke,
    /// `GET /v2/oauth2/userinfo`.
    UserInfo,
    /// Any other request to Auth.
    OtherAuth,
    /// `GET operation/endpoint/{id}/ls`.
    List,
    /// `GET operation/endpoint/{id}/stat`.
    Stat,
    /// `POST operation/endpoint/{id}/mkdir`.
    MakeDirectory,
    /// `POST transfer` or `POST delete`, which submit a task.
    Submit,
    /// Any other request to Transfer.
    OtherTransfer,
    /// A request to any other service.
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

/// Counts of logins, grants, listings and challenges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Logins that a person approved.
    pub logins: usize,
    /// Logins that a person denied, or whose requirement no identity satisfied.
    pub declined: usize,
    /// Codes that were exchanged for tokens.
    pub code_grants: usize,
    /// Refreshes: uses of a refresh token.
    pub refresh_grants: usize,
    /// Grants of tokens to a client for itself.
    pub client_grants: usize,
    /// Requests for a listing, with any outcome.
    pub listings: usize,
    /// Challenges: responses that require another login or a consent.
    pub challenges: usize,
}

/// A fault of a program under test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The kind of the violation.
    pub kind: ViolationKind,
    /// Details, without secrets.
    pub detail: String,
}

/// The kinds of [`Violation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViolationKind {
    /// A token that was never issued, or expired days ago.
    UnknownToken,
    /// A token for another service.
    WrongResourceServer,
    /// A token of another user than the one in the header [`EXPECT_USER`](super::EXPECT_USER).
    WrongUser,
    /// More than one `Authorization` header.
    SeveralCredentials,
    /// A token in a URL, which ends up in logs.
    TokenInUrl,
    /// A code that was exchanged before, or never issued.
    CodeReused,
    /// A code of another client or for another redirect URI.
    WrongCode,
    /// A PKCE verifier that does not match the code's challenge.
    WrongVerifier,
    /// A refresh token of another client, or one that was never issued.
    WrongRefreshToken,
    /// A wrong client secret.
    WrongSecret,
}

/// The default number of requests and violations that are kept.
pub(super) const KEPT: usize = 100_000;

/// How many panics are kept. One is enough to fail a test.
const KEPT_PANICS: usize = 100;

/// Appends to a list of which only the last `kept` elements are kept.
pub(super) fn push_last<T>(list: &mut VecDeque<T>, last: T, kept: usize) {
    list.push_back(last);
    while list.len() > kept {
        list.pop_front();
    }
}

/// The log of a server.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) requests: VecDeque<SeenRequest>,
    /// The number of requests and violations that are kept.
    pub(super) kept: usize,
    pub(super) counts: Counts,
    pub(super) violations: VecDeque<Violation>,
    /// The messages of panics in handlers.
    pub(super) panics: VecDeque<String>,
}

impl Log {
    pub(super) fn keeping(kept: usize) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// Clears everything except panics.
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
