//! A requirement as a document.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AuthorizationParameters, Extra, json, read};

/// A Globus Auth Requirements Error: what a service says when a request needs a fresh or stronger login.
///
/// Deserialization takes every variant that [`detect`](super::detect) takes of a single document, and fails on all else.
/// Fields that this crate does not know come along in [`extra`](Self::extra), so a document survives a round trip:
///
/// ```
/// use globus_gare::gare::Gare;
///
/// let legacy = r#"{"code":"ConsentRequired","message":"Missing consent","required_scopes":["a"],"request_id":"r"}"#;
/// let gare: Gare = serde_json::from_str(legacy)?;
/// assert_eq!(gare.authorization_parameters.required_scopes, ["a"]);
///
/// let proper = serde_json::to_string(&gare)?;
/// assert_eq!(serde_json::from_str::<Gare>(&proper)?, gare);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Gare {
    /// What kind of error it is; [`DEFAULT_CODE`](Self::DEFAULT_CODE) where the service names none.
    pub code: String,
    /// What is asked for.
    pub authorization_parameters: AuthorizationParameters,
    /// The other fields of the document.
    #[serde(flatten, serialize_with = "serialize_extra")]
    pub extra: Extra,
}

impl Gare {
    /// The code of a requirement that comes without one, as in the Python SDK.
    pub const DEFAULT_CODE: &'static str = "AuthorizationRequired";

    /// A requirement without further fields.
    pub fn new(code: impl Into<String>, authorization_parameters: AuthorizationParameters) -> Self {
        Self {
            code: code.into(),
            authorization_parameters,
            extra: Extra::default(),
        }
    }

    /// What to tell the user: the `session_message`, or the `reason` that Globus Compute gives beside the parameters.
    ///
    /// ```
    /// use globus_gare::gare::Gare;
    ///
    /// let gare: Gare = serde_json::from_str(r#"{"reason": "Log in", "authorization_parameters": {}}"#)?;
    /// assert_eq!(gare.message().as_deref(), Some("Log in"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn message(&self) -> Option<Cow<'_, str>> {
        match &self.authorization_parameters.session_message {
            Some(message) => Some(Cow::Borrowed(message)),
            None => self.extra.get("reason").map(Cow::Owned),
        }
    }

    /// Keeps the fields that the owner of a collection may speak for: `session_*`. Returns `false` where it asked only for
    /// others.
    pub(super) fn confine_to_session(&mut self) -> bool {
        let params = &mut self.authorization_parameters;
        let named_others = !params.required_scopes.is_empty()
            || params.prompt.is_some()
            || !params.extra.is_empty();
        params.required_scopes.clear();
        params.prompt = None;
        params.extra = Extra::default();
        self.extra = Extra::default();
        !(named_others && params.is_empty())
    }
}

/// Whether `name` is a field of [`Gare`] itself, and so has no place in its `extra`.
pub(super) fn is_field(name: &str) -> bool {
    matches!(name, "code" | "authorization_parameters")
}

fn serialize_extra<S: Serializer>(extra: &Extra, serializer: S) -> Result<S::Ok, S::Error> {
    extra.serialize_unknown(serializer, is_field)
}

impl<'de> Deserialize<'de> for Gare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::deserialize(deserializer, read::requirement)
    }
}
