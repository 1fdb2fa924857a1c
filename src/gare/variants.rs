//! Reading one object as a requirement, in every spelling that services use.

use super::{
    AuthorizationParameters, Extra, Gare,
    document::is_field,
    gcs,
    object::{Kind, Object, for_each_element, is_falsy, kind, list, list_or_csv, string},
    params::FIELDS,
    params_serde::{Reading, optional},
};

const CONSENT_REQUIRED: &str = "ConsentRequired";

/// Reads `document` as a requirement.
///
/// First come the readings of `globus_sdk.gare.to_gare`, in its order, so that what it accepts means the same here;
/// then those that only we have.
pub(super) fn read(document: &Object<'_>) -> Option<Gare> {
    strict(document)
        .or_else(|| legacy(document, Reading::Legacy))
        .or_else(|| consent_of_transfer(document, list))
        .or_else(|| consent_of_action_provider(document))
        .or_else(|| dependent_consent(document, list))
        .or_else(|| {
            let any_prompt = document
                .get_some("code")
                .is_some_and(|code| kind(code) == Kind::String);
            legacy(document, Reading::Lenient { any_prompt })
        })
        .or_else(|| consent_of_transfer(document, list_or_csv))
        .or_else(|| dependent_consent(document, list_or_csv))
        .or_else(|| gcs::read(document))
}

type ReadList = fn(&serde_json::value::RawValue) -> Option<Vec<String>>;

/// A proper GARE.
fn strict(document: &Object<'_>) -> Option<Gare> {
    let code = string(document.get("code")?)?;
    parameters(document, Reading::Strict, code)
}

/// `authorization_parameters` in an older spelling, or without a code.
fn legacy(document: &Object<'_>, reading: Reading) -> Option<Gare> {
    parameters(document, reading, code_or_default(document)?)
}

fn parameters(document: &Object<'_>, reading: Reading, code: String) -> Option<Gare> {
    let object = Object::parse(document.get("authorization_parameters")?)?;
    let authorization_parameters = AuthorizationParameters::read(&object, reading)?;
    Some(Gare {
        code,
        authorization_parameters,
        extra: extra_without(document, ""),
    })
}

/// The document's code; the default where it is false in Python's eyes; `None` where it is no string.
pub(super) fn code_or_default(document: &Object<'_>) -> Option<String> {
    match document.get("code").filter(|code| !is_falsy(code)) {
        None => Some(Gare::DEFAULT_CODE.to_owned()),
        Some(code) => string(code),
    }
}

/// Transfer's: `required_scopes` beside the code.
fn consent_of_transfer(document: &Object<'_>, list: ReadList) -> Option<Gare> {
    let scopes = list(consent_required(document)?.get("required_scopes")?)?;
    let mut gare = consent(scopes)?;
    gare.authorization_parameters.session_message = optional(document, "message", string)?;
    gare.extra = extra_without(document, "required_scopes");
    Some(gare)
}

/// Action providers': one `required_scope`. They may have `authorization_parameters` as well; we come here only where
/// these are malformed, and keep the fields of them that we do not know.
fn consent_of_action_provider(document: &Object<'_>) -> Option<Gare> {
    let scope = string(consent_required(document)?.get("required_scope")?)?;
    let mut gare = consent(vec![scope])?;
    gare.authorization_parameters.session_message = optional(document, "description", string)?;
    if let Some(malformed) = document
        .get("authorization_parameters")
        .and_then(Object::parse)
    {
        gare.authorization_parameters.extra = Extra::collect(
            malformed
                .members()
                .filter(|(name, _)| !FIELDS.contains(name)),
        );
    }
    gare.extra = extra_without(document, "required_scope");
    Some(gare)
}

/// Globus Auth's, when a service asks it for dependent tokens.
fn dependent_consent(document: &Object<'_>, list: ReadList) -> Option<Gare> {
    if string(document.get("error")?)? != "dependent_consent_required" {
        return None;
    }
    let errors = document
        .get("errors")
        .filter(|errors| kind(errors) == Kind::Array)?;
    let mut first = None;
    for_each_element(errors, |index, error| {
        if index == 0 {
            first = Some(error);
        }
    });
    consent(list(Object::parse(first?)?.get("unapproved_scopes")?)?)
}

fn consent_required<'d, 'a>(document: &'d Object<'a>) -> Option<&'d Object<'a>> {
    (string(document.get("code")?)? == CONSENT_REQUIRED).then_some(document)
}

/// A login cannot bring consent to no scope at all, so that is no requirement; the Python SDK would make one of it.
fn consent(scopes: Vec<String>) -> Option<Gare> {
    let parameters = AuthorizationParameters::default().with_required_scopes(scopes);
    (!parameters.is_empty()).then(|| Gare::new(CONSENT_REQUIRED, parameters))
}

/// The fields of `document` that are neither a GARE's own nor `read`.
pub(super) fn extra_without(document: &Object<'_>, read: &str) -> Extra {
    Extra::collect(
        document
            .members()
            .filter(|(name, _)| !is_field(name) && *name != read),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::repair::with_json;

    fn read_text(text: &str) -> Option<Gare> {
        with_json(text, |raw| read(&Object::parse(raw)?)).flatten()
    }

    /// Reads `text` and writes code and parameters as JSON, in the place of an assertion on every field.
    fn shown(text: &str) -> String {
        read_text(text).map_or("none".to_owned(), |gare| {
            let params = serde_json::to_string(&gare.authorization_parameters).unwrap_or_default();
            format!("{} {params}", gare.code)
        })
    }

    #[test]
    fn spellings() {
        for (text, expected) in [
            (r#"{"code":"","authorization_parameters":{}}"#, " {}"),
            (
                r#"{"code":"","authorization_parameters":{"session_required_policies":"a"}}"#,
                r#"AuthorizationRequired {"session_required_policies":["a"]}"#,
            ),
            (
                r#"{"code":0,"authorization_parameters":{}}"#,
                "AuthorizationRequired {}",
            ),
            (r#"{"code":1,"authorization_parameters":{}}"#, "none"),
            (r#"{"code":"X","authorization_parameters":null}"#, "none"),
            (r#"{"code":"X","authorization_parameters":[]}"#, "none"),
            (
                r#"{"authorization_parameters":{"session_required_single_domain":"a, b,"}}"#,
                r#"AuthorizationRequired {"session_required_single_domain":["a"," b",""]}"#,
            ),
            (
                r#"{"authorization_parameters":{"required_scopes":["s"]}}"#,
                r#"AuthorizationRequired {"required_scopes":["s"]}"#,
            ),
            (
                r#"{"code":"X","authorization_parameters":{"required_scopes":"s,t"}}"#,
                r#"X {"required_scopes":["s","t"]}"#,
            ),
            (
                r#"{"code":"X","authorization_parameters":{"required_scopes":7}}"#,
                r#"X {"required_scopes":7}"#,
            ),
            (
                r#"{"code":"X","authorization_parameters":{"session_required_identities":"i,j","prompt":"none"}}"#,
                r#"X {"session_required_identities":["i","j"],"prompt":"none"}"#,
            ),
            (
                r#"{"authorization_parameters":{"prompt":"login"}}"#,
                r#"AuthorizationRequired {"prompt":"login"}"#,
            ),
            (
                r#"{"authorization_parameters":{"prompt":"consent"}}"#,
                "none",
            ),
            (
                r#"{"code":"X","authorization_parameters":{"prompt":"consent"}}"#,
                r#"X {"prompt":"consent"}"#,
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn consents() {
        for (text, expected) in [
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"message":"m"}"#,
                r#"ConsentRequired {"session_message":"m","required_scopes":["a"]}"#,
            ),
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"message":1}"#,
                "none",
            ),
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"message":1,"required_scope":"b","description":"d"}"#,
                r#"ConsentRequired {"session_message":"d","required_scopes":["b"]}"#,
            ),
            (
                r#"{"code":"ConsentRequired","required_scopes":"a,b"}"#,
                r#"ConsentRequired {"required_scopes":["a","b"]}"#,
            ),
            (
                r#"{"code":"ConsentRequired","required_scopes":"a,b","required_scope":"c"}"#,
                r#"ConsentRequired {"required_scopes":["c"]}"#,
            ),
            (r#"{"code":"ConsentRequired","required_scopes":[]}"#, "none"),
            (r#"{"code":"Other","required_scopes":["a"]}"#, "none"),
            (
                r#"{"code":"ConsentRequired","required_scope":"a","authorization_parameters":{"prompt":1,"x":2}}"#,
                r#"ConsentRequired {"required_scopes":["a"],"x":2}"#,
            ),
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"prompt":1,"x":2}}"#,
                r#"ConsentRequired {"required_scopes":["a"]}"#,
            ),
            (
                r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a"]},{"unapproved_scopes":["b"]}]}"#,
                r#"ConsentRequired {"required_scopes":["a"]}"#,
            ),
            (
                r#"{"error":"dependent_consent_required","errors":[]}"#,
                "none",
            ),
            (
                r#"{"error":"dependent_consent_required","errors":["a"]}"#,
                "none",
            ),
            (
                r#"{"error":"dependent_consent_required","errors":{"unapproved_scopes":["a"]}}"#,
                "none",
            ),
            (
                r#"{"error":"dependent_consent_required","errors":[{}]}"#,
                "none",
            ),
            (
                r#"{"error":"other","errors":[{"unapproved_scopes":["a"]}]}"#,
                "none",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
