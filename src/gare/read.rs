//! Reading one object as a requirement, in every spelling that services use.

use serde::{Deserialize, Deserializer};

use super::{
    AuthorizationParameters, Extra, Gare,
    gare::is_field,
    gcs,
    json::{self, Kind, Object, Value},
    legacy,
    params::{REQUIRED_SCOPES, is_param},
};

/// A requirement without the fields of its document that are not known, and what else was read of these: `None` where the
/// others are dropped.
pub(super) type Read = (Gare, Option<&'static str>);

/// Reads `document` as a requirement.
pub(super) fn requirement(document: &Object<'_>) -> Option<Gare> {
    let (mut gare, known) = without_extra(document)?;
    if let Some(known) = known {
        gare.extra = Extra::of(document, |name| is_field(name) || name == known);
    }
    Some(gare)
}

/// As [`requirement`], without its `extra`.
///
/// First come the readings of `globus_sdk.gare.to_gare`, in its order, so that what it accepts means the same here;
/// then those that only we have.
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
    // Parameters that name nothing may stand beside a detail that does.
    if gare.authorization_parameters.is_empty()
        && let Some(detail) = gcs::parameters(document)
    {
        gare.authorization_parameters.fill_from(detail);
    }
    Some((gare, known))
}

/// How much a reading of `authorization_parameters` puts up with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A proper GARE's: it has a code, and lists are JSON lists.
    Strict,
    /// `LegacyAuthorizationParameters` of the Python SDK: policies and domains may be comma-separated, `prompt` can only
    /// be `login`, and `required_scopes` is an unknown field, which we read nonetheless where it is a list.
    Legacy,
    /// Like `Legacy`, and every list may be comma-separated, and with a code `prompt` may be anything. Accepts what
    /// neither of the others does.
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

/// The document's code; the default where it is false in Python's eyes; `None` where it is no string.
pub(super) fn code_or_default(document: &Object<'_>) -> Option<String> {
    match document.get("code").filter(|code| !code.is_falsy()) {
        None => Some(Gare::DEFAULT_CODE.to_owned()),
        Some(code) => code.string(),
    }
}

/// The field `name`: `Some(None)` where it is absent, `None` where `read` will not have it.
pub(super) fn optional<'t, T>(
    object: &Object<'t>,
    name: &str,
    read: impl FnOnce(Value<'t>) -> Option<T>,
) -> Option<Option<T>> {
    let value = object.get(name).filter(|value| value.kind() != Kind::Null);
    value.map_or(Some(None), |value| read(value).map(Some))
}

/// Scopes as they can be asked for: an empty one is none.
pub(super) fn scopes(mut scopes: Vec<String>) -> Vec<String> {
    scopes.retain(|scope| !scope.is_empty());
    scopes
}

impl AuthorizationParameters {
    /// Reads an `authorization_parameters` object; `None` where a field that we know is of a wrong type.
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
