//! Reads one object as a requirement, in every form that services use.

use serde::{Deserialize, Deserializer};

use super::gare::is_field;
use super::json::{self, Kind, Object, Value};
use super::params::{REQUIRED_SCOPES, is_param};
use super::{AuthorizationParameters, Extra, Gare, gcs, legacy};

/// A requirement without its `extra`, and the name of the member that it was read from. `None` for
/// the name if no unknown field is kept.
pub(super) type Read = (Gare, Option<&'static str>);

/// Reads `document` as a requirement.
pub(super) fn requirement(document: &Object<'_>) -> Option<Gare> {
    let (mut gare, known) = without_extra(document)?;
    if let Some(known) = known {
        gare.extra = Extra::of(document, |name| is_field(name) || name == known);
    }
    Some(gare)
}

/// Reads `document` as a requirement, without its `extra`.
///
/// The first readings are those of `globus_sdk.gare.to_gare`, in its order: a document that the
/// Python SDK accepts has the same content here. The other readings are ours.
pub(super) fn without_extra(document: &Object<'_>) -> Option<Read> {
    let (mut gare, known) = parameters(document, Reading::Strict)
        .or_else(|| parameters(document, Reading::Legacy))
        .or_else(|| legacy::consent_of_transfer(document, false))
        .or_else(|| legacy::consent_of_action_provider(document))
        .or_else(|| legacy::dependent_consent(document, false))
        .or_else(|| parameters(document, Reading::Lenient))
        .or_else(|| legacy::consent_of_transfer(document, true))
        .or_else(|| legacy::dependent_consent(document, true))
        .or_else(|| gcs::requirement(document))?;
    // Parameters without a condition may stand beside a detail that has one.
    if gare.authorization_parameters.is_empty()
        && let Some(detail) = gcs::parameters(document)
    {
        gare.authorization_parameters.fill_from(detail);
    }
    Some((gare, known))
}

/// How strictly `authorization_parameters` are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A proper GARE: the document has a code, and lists are JSON lists.
    Strict,
    /// `LegacyAuthorizationParameters` of the Python SDK: policies and domains may be
    /// comma-separated, and `prompt` can only be `login`. `required_scopes` is an unknown field
    /// there; it is read here if it is a list.
    Legacy,
    /// As `Legacy`, but every list may be comma-separated, and in a document with a code `prompt`
    /// may be anything.
    Lenient,
}

fn parameters(document: &Object<'_>, reading: Reading) -> Option<Read> {
    let object = document.get("authorization_parameters")?;
    let code = document.get("code");
    let has_code = code.is_some_and(|code| code.kind() == Kind::String);
    let code = match reading {
        Reading::Strict => code?.string()?,
        Reading::Legacy | Reading::Lenient => code_or_default(document)?,
    };
    let any_prompt = has_code && reading != Reading::Legacy;
    let read = |object: &Object<'_>| AuthorizationParameters::read(object, reading, any_prompt);
    Some((
        Gare::new(code, object.object(read).flatten()?),
        Some("code"),
    ))
}

/// The document's code; the default if the code is falsy in Python; `None` if it is not a string.
pub(super) fn code_or_default(document: &Object<'_>) -> Option<String> {
    match document.get("code").filter(|code| !code.is_falsy()) {
        None => Some(Gare::DEFAULT_CODE.to_owned()),
        Some(code) => code.string(),
    }
}

/// The field `name`: `Some(None)` if it is absent, `None` if `read` rejects its value.
pub(super) fn optional<'t, T>(
    object: &Object<'t>,
    name: &str,
    read: impl FnOnce(Value<'t>) -> Option<T>,
) -> Option<Option<T>> {
    let value = object.get(name).filter(|value| value.kind() != Kind::Null);
    value.map_or(Some(None), |value| read(value).map(Some))
}

/// Drops empty scopes, which nobody can consent to.
pub(super) fn scopes(mut scopes: Vec<String>) -> Vec<String> {
    scopes.retain(|scope| !scope.is_empty());
    scopes
}

impl AuthorizationParameters {
    /// Reads an `authorization_parameters` object; `None` if a known field has the wrong type.
    fn read(object: &Object<'_>, reading: Reading, any_prompt: bool) -> Option<Self> {
        let mut params = Self::default();
        let (mut has_unknown, mut has_odd_scopes) = (false, false);
        let commas = reading != Reading::Strict;
        for (name, value) in object.members() {
            match name {
                _ if value.kind() == Kind::Null => has_unknown |= !is_param(name),
                "session_message" => params.session_message = Some(value.string()?),
                "session_required_identities" => {
                    let commas = reading == Reading::Lenient;
                    params.session_required_identities = value.list(commas)?;
                }
                "session_required_policies" => {
                    params.session_required_policies = value.list(commas)?;
                }
                "session_required_single_domain" => {
                    params.session_required_single_domain = value.list(commas)?;
                }
                "session_required_mfa" => params.session_required_mfa = value.boolean()?,
                REQUIRED_SCOPES => match value.list(commas) {
                    Some(read) => params.required_scopes = scopes(read),
                    None if reading == Reading::Strict => return None,
                    None => has_odd_scopes = true,
                },
                "prompt" => {
                    let prompt = value.string()?;
                    let prompt = (any_prompt || prompt == "login").then_some(prompt);
                    params.prompt = Some(prompt?);
                }
                _ => has_unknown = true,
            }
        }
        if has_unknown || has_odd_scopes {
            params.extra = Extra::of(object, |name| {
                is_param(name) && !(has_odd_scopes && name == REQUIRED_SCOPES)
            });
        }
        Some(params)
    }
}

impl<'de> Deserialize<'de> for AuthorizationParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::deserialize(deserializer, |object| {
            Self::read(object, Reading::Lenient, true)
        })
    }
}
