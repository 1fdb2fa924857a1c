//! Globus Auth Requirements Errors (GAREs), before a service writes them in its own form.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `authorization_parameters`: the requirement for a login.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_message: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) session_required_identities: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) session_required_policies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) session_required_single_domain: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_required_mfa: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) required_scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prompt: Option<String>,
}

/// A requirement with a message for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Gare {
    pub(super) parameters: Parameters,
    pub(super) message: String,
}

impl Gare {
    pub(super) fn new(parameters: Parameters) -> Self {
        let message = parameters.session_message.clone();
        let message = message.unwrap_or_else(|| "Another login is required".to_owned());
        Self {
            parameters,
            message,
        }
    }

    /// A requirement of consent to these scopes.
    pub(super) fn consent(message: &str, required_scopes: Vec<String>) -> Self {
        Self::new(Parameters {
            session_message: Some(message.to_owned()),
            required_scopes,
            ..Parameters::default()
        })
    }

    /// A requirement of a session that satisfies these policies.
    pub(super) fn policies(message: &str, ids: impl IntoIterator<Item = String>) -> Self {
        Self::new(Parameters {
            session_message: Some(message.to_owned()),
            session_required_policies: ids.into_iter().collect(),
            ..Parameters::default()
        })
    }

    /// Whether scopes are required, and nothing of the session.
    pub(super) fn is_consent(&self) -> bool {
        let of = &self.parameters;
        let of_session = [
            &of.session_required_identities,
            &of.session_required_policies,
            &of.session_required_single_domain,
        ];
        !of.required_scopes.is_empty()
            && of_session.iter().all(|list| list.is_empty())
            && of.session_required_mfa.is_none()
    }

    /// The `code`: one of the two that are defined.
    pub(super) fn code(&self) -> &'static str {
        if self.is_consent() {
            "ConsentRequired"
        } else {
            "AuthorizationRequired"
        }
    }

    /// The value of `authorization_parameters`.
    pub(super) fn parameters(&self) -> Value {
        json!(self.parameters)
    }

    /// The bare document, in no service's form.
    pub(super) fn document(&self) -> Value {
        json!({"code": self.code(), "authorization_parameters": self.parameters()})
    }
}
