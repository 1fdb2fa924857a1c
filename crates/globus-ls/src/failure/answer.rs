//! An error that the Transfer service answered with.

use globus_gare::reauth::printable;
use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::place::Place;

/// An error answer to a listing.
pub(crate) struct Answer {
    status: StatusCode,
    code: String,
    message: String,
    retry_after: Option<String>,
    collection: Uuid,
    path: String,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: &[u8], place: &Place) -> Self {
        let document: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self {
            status,
            code: printable(text("code")),
            // What follows the first line is for the operators of the collection.
            message: printable(text("message").lines().next().unwrap_or_default()),
            retry_after: None,
            collection: place.collection,
            path: place.shown(),
        }
    }

    /// The value of the answer's `Retry-After` header.
    pub(crate) fn retry_after(mut self, value: Option<&str>) -> Self {
        self.retry_after = value.map(printable).filter(|value| !value.is_empty());
        self
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// What the service says.
    pub(super) fn told(&self) -> String {
        match (self.message.as_str(), self.code.as_str()) {
            ("", "") => format!("status {}", self.status.as_u16()),
            ("", text) | (text, "") => text.to_owned(),
            (message, code) => format!("{message} ({code})"),
        }
    }

    pub(super) fn what(&self) -> String {
        let (path, id, told) = (&self.path, self.collection, self.told());
        match self.kind() {
            Kind::NoCollection => format!("there is no collection {id}: {told}"),
            Kind::NoPath => format!("{path} was not found on {id}: {told}"),
            Kind::NoDirectory => format!("{path} on {id} is no directory: {told}"),
            Kind::Forbidden => format!("{path} on {id} may not be listed: {told}"),
            Kind::TooMany => format!("the service has had too many requests: {told}"),
            Kind::Transient | Kind::Other => format!("{path} on {id} could not be listed: {told}"),
        }
    }

    pub(super) fn advice(&self) -> String {
        let advice = match self.kind() {
            Kind::NoCollection => "look its id up at https://app.globus.org/collections",
            Kind::NoPath => "list its parent directory to see what there is",
            Kind::NoDirectory => "list its parent directory to see it",
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
            Kind::Other => "check the collection and the path",
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
        } else if self.status == StatusCode::TOO_MANY_REQUESTS {
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
