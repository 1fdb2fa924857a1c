use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AuthorizationParameters, Extra, json, read};

/// A Globus Auth Requirements Error (GARE): a service requires a fresh or stronger login.
///
/// Deserialization accepts each form of a single document that [`detect`](super::detect) accepts,
/// and fails on any other document. [`extra`](Self::extra) keeps the fields that this crate does
/// not know, so a document survives a round trip:
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
    /// The error code. [`DEFAULT_CODE`](Self::DEFAULT_CODE) if the service sent none.
    pub code: String,
    /// The requirement itself.
    pub authorization_parameters: AuthorizationParameters,
    /// The other fields of the document.
    #[serde(flatten, serialize_with = "serialize_extra")]
    pub extra: Extra,
}

impl Gare {
    /// The code of a document without a code, as in the Python SDK.
    pub const DEFAULT_CODE: &'static str = "AuthorizationRequired";

    /// Makes a requirement without further fields.
    pub fn new(code: impl Into<String>, authorization_parameters: AuthorizationParameters) -> Self {
        Self {
            code: code.into(),
            authorization_parameters,
            extra: Extra::default(),
        }
    }

    /// The message for the user: the `session_message`, or the `reason` that Globus Compute sends
    /// instead.
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

    /// Keeps only the `session_*` fields, which the owner of a collection may set. Returns `false`
    /// if the requirement had only other fields.
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

/// Whether `name` is a field of [`Gare`] itself, and so is never in its `extra`.
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
