//! The request for the response of a fixture.

use serde_json::Value;

/// The path, body and sender of a request.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: Body,
    pub(super) by: By,
}

pub(super) enum Body {
    None,
    Json(Value),
    /// This text, with the media type of JSON.
    Text(String),
    Form(Vec<(&'static str, String)>),
}

/// The sender of a request.
pub(super) enum By {
    /// A user with a token for the service.
    Bearer,
    /// A user with this token.
    Token(String),
    /// The client with a secret.
    Client,
    Nobody,
}

impl Request {
    pub(super) fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            body: Body::None,
            by: By::Bearer,
        }
    }

    pub(super) fn json(self, body: Value) -> Self {
        Self {
            body: Body::Json(body),
            ..self
        }
    }

    pub(super) fn text(self, body: &str) -> Self {
        Self {
            body: Body::Text(body.to_owned()),
            ..self
        }
    }

    /// A form, sent by the client with a secret.
    pub(super) fn form(self, form: Vec<(&'static str, String)>) -> Self {
        Self {
            body: Body::Form(form),
            by: By::Client,
            ..self
        }
    }

    pub(super) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }
}
