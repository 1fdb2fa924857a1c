//! Reading one object as a requirement, in every spelling that services use.

use serde::{Deserialize, Deserializer};

use super::{
    AuthorizationParameters, Extra, Gare,
    gare::is_field,
    gcs,
    json::{self, Kind, Object, Value},
    legacy,
    params::is_param,
};

/// Reads `document` as a requirement.
///
/// First come the readings of `globus_sdk.gare.to_gare`, in its order, so that what it accepts means the same here;
/// then those that only we have.
pub(super) fn requirement(document: &Object<'_>) -> Option<Gare> {
    const NEEDED: [&str; 5] = [
        "authorization_parameters",
        "required_scopes",
        "required_scope",
        "errors",
        "detail",
    ];
    // Each reading needs one of these.
    if !document.members().any(|(name, _)| NEEDED.contains(&name)) {
        return None;
    }
    let mut gare = strict(document)
        .or_else(|| parameters(document, Reading::Legacy))
        .or_else(|| legacy::consent_of_transfer(document, |value| value.list()))
        .or_else(|| legacy::consent_of_action_provider(document))
        .or_else(|| legacy::dependent_consent(document, |value| value.list()))
        .or_else(|| lenient(document))
        .or_else(|| legacy::consent_of_transfer(document, |value| value.list_or_csv()))
        .or_else(|| legacy::dependent_consent(document, |value| value.list_or_csv()))
        .or_else(|| gcs::requirement(document))?;
    // Parameters that name nothing may stand beside a detail that does.
    if gare.authorization_parameters.is_empty()
        && let Some(detail) = gcs::parameters(document)
    {
        gare.authorization_parameters.fill_from(detail);
    }
    Some(gare)
}

/// How much a reading of `authorization_parameters` puts up with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A proper GARE's: lists are JSON lists.
    Strict,
    /// `LegacyAuthorizationParameters` of the Python SDK: policies and domains may be comma-separated, `prompt` can only
    /// be `login`, and `required_scopes` is an unknown field, which we read nonetheless where it is a list.
    Legacy,
    /// Like `Legacy`, and every list may be comma-separated. Accepts what neither of the others does.
    Lenient {
        /// Whether `prompt` may be anything, as in a proper GARE.
        any_prompt: bool,
    },
}

/// A proper GARE.
fn strict(document: &Object<'_>) -> Option<Gare> {
    let code = document.get("code")?;
    (code.kind() == Kind::String)
        .then(|| with_parameters(document, code.string()?, Reading::Strict))
        .flatten()
}

/// `authorization_parameters` in another spelling, or without a code.
fn parameters(document: &Object<'_>, reading: Reading) -> Option<Gare> {
    with_parameters(document, code_or_default(document)?, reading)
}

/// What neither of the above takes.
fn lenient(document: &Object<'_>) -> Option<Gare> {
    let code = document.get("code");
    let any_prompt = code.is_some_and(|code| code.kind() == Kind::String);
    parameters(document, Reading::Lenient { any_prompt })
}

fn with_parameters(document: &Object<'_>, code: String, reading: Reading) -> Option<Gare> {
    let object = document.get("authorization_parameters")?;
    let read = |object: &Object<'_>| AuthorizationParameters::read(object, reading);
    let mut gare = Gare::new(code, object.object(read).flatten()?);
    gare.extra = Extra::of(document, is_field);
    Some(gare)
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
    match object.get_some(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

/// Scopes as they can be asked for: an empty one is none.
pub(super) fn scopes(mut scopes: Vec<String>) -> Vec<String> {
    scopes.retain(|scope| !scope.is_empty());
    scopes
}

impl AuthorizationParameters {
    /// Reads an `authorization_parameters` object; `None` where a field that we know is of a wrong type.
    fn read(object: &Object<'_>, reading: Reading) -> Option<Self> {
        let mut params = Self::default();
        let mut has_unknown = false;
        let mut has_odd_scopes = false;
        for (name, value) in object.members() {
            if value.kind() == Kind::Null {
                has_unknown |= !is_param(name);
                continue;
            }
            match name {
                "session_message" => params.session_message = Some(value.string()?),
                "session_required_identities" => {
                    params.session_required_identities = reading.identities(value)?;
                }
                "session_required_policies" => {
                    params.session_required_policies = reading.list(value)?;
                }
                "session_required_single_domain" => {
                    params.session_required_single_domain = reading.list(value)?;
                }
                "session_required_mfa" => params.session_required_mfa = value.boolean()?,
                "required_scopes" => match reading.list(value) {
                    Some(read) => params.required_scopes = scopes(read),
                    None if reading == Reading::Strict => return None,
                    None => has_odd_scopes = true,
                },
                "prompt" => params.prompt = Some(reading.prompt(value)?),
                _ => has_unknown = true,
            }
        }
        if has_unknown || has_odd_scopes {
            params.extra = Extra::of(object, |name| {
                is_param(name) && !(has_odd_scopes && name == "required_scopes")
            });
        }
        Some(params)
    }
}

impl Reading {
    fn list(self, value: Value<'_>) -> Option<Vec<String>> {
        match self {
            Self::Strict => value.list(),
            Self::Legacy | Self::Lenient { .. } => value.list_or_csv(),
        }
    }

    fn identities(self, value: Value<'_>) -> Option<Vec<String>> {
        match self {
            Self::Strict | Self::Legacy => value.list(),
            Self::Lenient { .. } => value.list_or_csv(),
        }
    }

    fn prompt(self, value: Value<'_>) -> Option<String> {
        let is_any = matches!(self, Self::Strict | Self::Lenient { any_prompt: true });
        value.string().filter(|prompt| is_any || prompt == "login")
    }
}

impl<'de> Deserialize<'de> for AuthorizationParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::deserialize(
            deserializer,
            |object| Self::read(object, Reading::Lenient { any_prompt: true }),
            "authorization parameters, each of its type",
        )
    }
}
