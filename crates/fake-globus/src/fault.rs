//! Faults: responses that a test queues in place of the regular ones.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::gare::{Gare, Parameters};
use super::observe::Challenged;
use super::record::RequestKind;
use super::service::{self, Challenge, Operation};
use super::world::Shared;
use super::{challenges, https};

/// A response to the next matching requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// Matches requests of this kind only.
    #[serde(default)]
    pub(super) kind: Option<RequestKind>,
    /// Matches requests to this service only, such as `transfer`.
    #[serde(default)]
    pub(super) service: Option<String>,
    /// Matches requests of this operation only, such as `operation_ls`.
    #[serde(default)]
    pub(super) operation: Option<String>,
    /// The number of requests that get this response.
    #[serde(default = "one")]
    pub(super) times: usize,
    /// How long a request is delayed. Without another field, the request is then performed.
    #[serde(default)]
    pub(super) delay_ms: u64,
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) body: String,
    #[serde(default)]
    pub(super) content_type: Option<String>,
    /// The header `Retry-After`, in seconds.
    #[serde(default)]
    pub(super) retry_after: Option<u64>,
    /// The id of a recorded challenge.
    #[serde(default)]
    pub(super) challenge: Option<String>,
    /// The requirement of a challenge in the form of the service.
    #[serde(default)]
    pub(super) requires: Option<Parameters>,
    /// The connection closes within the response.
    #[serde(default)]
    pub(super) reset: bool,
}

fn one() -> usize {
    1
}

impl Fault {
    /// A fault that matches one request of any kind, without a response.
    fn once() -> Self {
        Self {
            times: 1,
            ..Self::default()
        }
    }

    /// Answers the next request of `kind` with a JSON document.
    pub(super) fn json(kind: RequestKind, status: u16, body: String) -> Self {
        Self {
            kind: Some(kind),
            status: Some(status),
            body,
            ..Self::once()
        }
    }

    /// Answers the next request to `service` with a challenge.
    pub(super) fn requiring(service: &str, parameters: Parameters) -> Self {
        Self {
            service: Some(service.to_owned()),
            requires: Some(parameters),
            ..Self::once()
        }
    }

    /// The error in the settings, if there is one.
    pub(super) fn contradiction(&self, world: &Shared) -> Option<String> {
        let challenge = self.challenge.as_deref();
        if let Some(unknown) = challenge.filter(|id| challenges::find(id).is_none()) {
            return Some(format!("there is no challenge {unknown}"));
        }
        if self.times == 0 {
            return Some("a fault is for 1 request or more".to_owned());
        }
        let responds =
            self.status.is_some() || challenge.is_some() || self.requires.is_some() || self.reset;
        let describes =
            !self.body.is_empty() || self.content_type.is_some() || self.retry_after.is_some();
        if describes && !responds {
            let reason = "`body`, `content_type` and `retry_after` need `status`";
            return Some(reason.to_owned());
        }
        if !responds && self.delay_ms == 0 {
            let reason = "a fault has `status`, `challenge`, `requires`, `reset` or `delay_ms`";
            return Some(reason.to_owned());
        }
        service::unknown(world, self.service.as_deref(), self.operation.as_deref())
    }

    pub(super) fn concerns(
        &self,
        kind: RequestKind,
        service: &str,
        operation: Option<Operation>,
    ) -> bool {
        let (own, named) = (self.service.as_deref(), self.operation.as_deref());
        concerns((self.kind, own, named), kind, service, operation)
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// The response. `None` if the request is only delayed.
    pub(super) fn response(&self, service: &str, resource: &str) -> Option<Response> {
        if self.reset {
            let parts = [
                Ok(Bytes::from_static(b"{")),
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
            ];
            let body = Body::from_stream(futures_util::stream::iter(parts));
            return Some(body.into_response());
        }
        if let Some(parameters) = &self.requires {
            let gare = Gare::new(parameters.clone());
            return Some(match service::named(service) {
                Some(service) => (service.challenge)(&Challenge {
                    gare: &gare,
                    resource,
                }),
                // The HTTPS servers of collections are not in the table of services.
                None => https::challenge(&gare),
            });
        }
        let challenge = self.challenge.as_deref().and_then(challenges::find);
        let (status, body, content_type) = match challenge {
            Some(challenge) => (
                self.status.unwrap_or(challenge.http_status),
                challenge.body.clone(),
                challenge.content_type.as_str(),
            ),
            None => (
                self.status?,
                self.body.clone(),
                self.content_type.as_deref().unwrap_or("application/json"),
            ),
        };
        let status = StatusCode::from_u16(status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
        }
        if challenge.is_some() {
            response.extensions_mut().insert(Challenged);
        }
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        Some(response)
    }
}

/// Whether a request matches `wanted`: a kind, the name of a service, and the name of an operation.
pub(super) fn concerns(
    wanted: (Option<RequestKind>, Option<&str>, Option<&str>),
    kind: RequestKind,
    service: &str,
    operation: Option<Operation>,
) -> bool {
    let operation = operation.map(|operation| operation.name);
    wanted.0.is_none_or(|wanted| wanted == kind)
        && wanted.1.is_none_or(|wanted| wanted == service)
        && (wanted.2.is_none() || wanted.2 == operation)
}
