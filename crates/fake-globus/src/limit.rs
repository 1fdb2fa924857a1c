//! [`Limit`]: 429 responses by a schedule.

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::fault::concerns;
use super::record::RequestKind;
use super::service::{self, Operation, Problem};
use super::world::Shared;

/// A schedule of 429 responses, with `Retry-After`, in the error form of the service.
///
/// ```
/// use std::time::Duration;
/// use fake_globus::Limit;
///
/// let busy = Limit::every(3).service("transfer").operation("operation_ls");
/// let down = Limit::next(10).retry_after(Duration::from_secs(30));
/// # let _ = (busy, down);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The number of requests that are answered 429.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// One request in this many is answered 429.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<RequestKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// In seconds.
    #[serde(default = "one")]
    retry_after: u64,
    /// The number of matching requests so far.
    #[serde(default)]
    seen: u64,
}

fn one() -> u64 {
    1
}

impl Limit {
    /// Answers the next `requests` requests with 429.
    pub fn next(requests: u64) -> Self {
        Self {
            next: Some(requests),
            retry_after: one(),
            ..Self::default()
        }
    }

    /// Answers every `nth` request with 429.
    pub fn every(nth: u64) -> Self {
        Self {
            every: Some(nth),
            retry_after: one(),
            ..Self::default()
        }
    }

    /// Counts only requests of this kind. Default: all kinds.
    pub fn kind(mut self, kind: RequestKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Counts only requests to this service, such as `transfer`. Default: all services.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Counts only requests of this operation, such as `operation_ls`. Default: all operations.
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Sets `Retry-After`, in whole seconds. Default: 1.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = after.as_secs();
        self
    }

    /// The error in the settings, if there is one.
    pub(super) fn contradiction(&self, world: &Shared) -> Option<String> {
        match (self.next, self.every) {
            (Some(0), _) | (_, Some(0)) => Some("a limit counts from 1".to_owned()),
            (Some(_), None) | (None, Some(_)) => {
                service::unknown(world, self.service.as_deref(), self.operation.as_deref())
            }
            _ => Some("a limit has either `next` or `every`".to_owned()),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.next.is_some_and(|next| self.seen >= next)
    }

    /// Counts a request if it matches. Returns `Retry-After` in seconds if the request is to be
    /// answered 429.
    pub(super) fn count(
        &mut self,
        kind: RequestKind,
        service: &str,
        operation: Option<Operation>,
    ) -> Option<u64> {
        let (own, named) = (self.service.as_deref(), self.operation.as_deref());
        if !concerns((self.kind, own, named), kind, service, operation) {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        let too_many = match self.every {
            Some(every) => self.seen.is_multiple_of(every),
            None => true,
        };
        too_many.then_some(self.retry_after)
    }
}

/// The 429 response of a service.
pub(super) fn too_many(service: &str, resource: &str, retry_after: u64) -> Response {
    let problem = Problem {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "TooManyRequests",
        message: "Too many requests: try again later",
        resource,
    };
    let mut response = match service::named(service) {
        Some(service) => (service.error)(&problem),
        None => (problem.status, "Too many requests").into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, retry_after.into());
    response
}
