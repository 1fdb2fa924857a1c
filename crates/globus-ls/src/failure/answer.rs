//! An error response of the Transfer service.

use globus_gare::reauth::printable;
use http::StatusCode;
use http::header::RETRY_AFTER;
use http::response::Parts;
use serde_json::Value;
use uuid::Uuid;

use crate::place::Place;

/// An error response to the request for a listing.
pub(crate) struct Answer {
    status: StatusCode,
    code: String,
    message: String,
    retry_after: Option<String>,
    collection: Uuid,
    path: String,
}

impl Answer {
    pub(crate) fn new(head: &Parts, body: &[u8], place: &Place) -> Self {
        let document: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let retry_after = head.headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        Self {
            status: head.status,
            code: printable(text("code")),
            // The lines after the first are for the operators of the collection.
            message: printable(text("message").lines().next().unwrap_or_default()),
            retry_after: retry_after.map(printable).filter(|value| !value.is_empty()),
            collection: place.collection,
            path: place.shown(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    pub(super) fn is_too_many(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The message and code of the service.
    pub(super) fn service_message(&self) -> String {
        match (self.message.as_str(), self.code.as_str()) {
            ("", "") => format!("status {}", self.status.as_u16()),
            ("", text) | (text, "") => text.to_owned(),
            (message, code) => format!("{message} ({code})"),
        }
    }

    /// What failed, with the message of the service.
    pub(super) fn summary(&self) -> String {
        let (path, id, reason) = (&self.path, self.collection, self.service_message());
        match self.kind() {
            Kind::NoCollection => format!("there is no collection {id}: {reason}"),
            Kind::NoPath => format!("{path} was not found on {id}: {reason}"),
            Kind::NoDirectory => format!("{path} on {id} is not a directory: {reason}"),
            Kind::Forbidden => format!("you may not list {path} on {id}: {reason}"),
            Kind::TooMany => format!("the service has received too many requests: {reason}"),
            Kind::Transient | Kind::Other => {
                format!("{path} on {id} could not be listed: {reason}")
            }
        }
    }

    pub(super) fn advice(&self) -> String {
        let advice = match self.kind() {
            Kind::NoCollection => "search for its id at https://app.globus.org/collections",
            Kind::NoPath => "list the parent directory to see which names exist",
            Kind::NoDirectory => "list the parent directory instead",
            Kind::Forbidden => "ask the collection's owner for access",
            Kind::TooMany | Kind::Transient => {
                return match &self.retry_after {
                    Some(at) if at.bytes().all(|digit| digit.is_ascii_digit()) => {
                        format!("try again in {at} s")
                    }
                    Some(at) => format!("try again after {at}"),
                    None => "try again later".to_owned(),
                };
            }
            Kind::Other => "check the id of the collection, and the path",
        };
        advice.to_owned()
    }

    fn kind(&self) -> Kind {
        let says = |word: &str| self.code.contains(word);
        if says("EndpointNotFound") || says("EndpointDeleted") {
            Kind::NoCollection
        } else if says("NotDirectory") || says("NotADirectory") {
            Kind::NoDirectory
        } else if says("NotFound") {
            Kind::NoPath
        } else if self.status == StatusCode::FORBIDDEN || says("PermissionDenied") {
            Kind::Forbidden
        } else if self.is_too_many() {
            Kind::TooMany
        } else if self.status.is_server_error() {
            Kind::Transient
        } else {
            Kind::Other
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    NoCollection,
    NoPath,
    NoDirectory,
    Forbidden,
    TooMany,
    Transient,
    Other,
}
