//! Reading one object as a requirement, in every spelling that services use.

use super::{
    AuthorizationParameters, Extra, Gare,
    document::is_field,
    gcs,
    object::Object,
    params::is_param,
    params_serde::{Reading, optional},
    value::{Kind, Value},
};

const CONSENT_REQUIRED: &str = "ConsentRequired";

/// Reads `document` as a requirement.
///
/// First come the readings of `globus_sdk.gare.to_gare`, in its order, so that what it accepts means the same here;
/// then those that only we have.
#[inline]
pub(super) fn read(document: &Object<'_>) -> Option<Gare> {
    // Each reading needs one of these.
    let is_needed = |name: &[u8]| {
        matches!(
            name,
            b"authorization_parameters"
                | b"required_scopes"
                | b"required_scope"
                | b"errors"
                | b"detail"
        )
    };
    if !document.spelled().any(|(name, _)| name.says(is_needed)) {
        return None;
    }
    strict(document).or_else(|| less_strict(document))
}

/// The readings of documents that are no proper GAREs.
#[inline(never)]
fn less_strict(document: &Object<'_>) -> Option<Gare> {
    legacy(document, Reading::Legacy)
        .or_else(|| consent_of_transfer(document, Value::list))
        .or_else(|| consent_of_action_provider(document))
        .or_else(|| dependent_consent(document, Value::list))
        .or_else(|| lenient(document))
        .or_else(|| consent_of_transfer(document, Value::list_or_csv))
        .or_else(|| dependent_consent(document, Value::list_or_csv))
        .or_else(|| gcs::read(document))
}

type ReadList<'t> = fn(Value<'t>) -> Option<Vec<String>>;

/// A proper GARE.
fn strict(document: &Object<'_>) -> Option<Gare> {
    parameters(document, Reading::Strict, |document| {
        document.get("code")?.string()
    })
}

/// `authorization_parameters` in an older spelling, or without a code.
fn legacy(document: &Object<'_>, reading: Reading) -> Option<Gare> {
    parameters(document, reading, code_or_default)
}

/// What neither of the above takes.
fn lenient(document: &Object<'_>) -> Option<Gare> {
    let any_prompt = document
        .get_some("code")
        .is_some_and(|code| code.kind() == Kind::String);
    legacy(document, Reading::Lenient { any_prompt })
}

#[inline]
fn parameters(
    document: &Object<'_>,
    reading: Reading,
    code: fn(&Object<'_>) -> Option<String>,
) -> Option<Gare> {
    let object = Object::of(document.get("authorization_parameters")?)?;
    let mut gare = Gare::new(code(document)?, AuthorizationParameters::default());
    gare.authorization_parameters.read(&object, reading)?;
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

/// Transfer's: `required_scopes` beside the code.
fn consent_of_transfer<'t>(document: &Object<'t>, list: ReadList<'t>) -> Option<Gare> {
    let scopes = list(consent_required(document)?.get("required_scopes")?)?;
    let mut gare = consent(scopes)?;
    gare.authorization_parameters.session_message = optional(document, "message", Value::string)?;
    gare.extra = Extra::of(document, |name| is_field(name) || name == "required_scopes");
    Some(gare)
}

/// Action providers': one `required_scope`. They may have `authorization_parameters` as well; we come here only where
/// these are malformed, and keep the fields of them that we do not know.
fn consent_of_action_provider(document: &Object<'_>) -> Option<Gare> {
    let scope = consent_required(document)?
        .get("required_scope")?
        .string()?;
    let mut gare = consent(vec![scope])?;
    gare.authorization_parameters.session_message =
        optional(document, "description", Value::string)?;
    if let Some(malformed) = document
        .get("authorization_parameters")
        .and_then(Object::of)
    {
        gare.authorization_parameters.extra = Extra::of(&malformed, is_param);
    }
    gare.extra = Extra::of(document, |name| is_field(name) || name == "required_scope");
    Some(gare)
}

/// Globus Auth's, when a service asks it for dependent tokens.
fn dependent_consent<'t>(document: &Object<'t>, list: ReadList<'t>) -> Option<Gare> {
    if document.get("error")?.text()? != "dependent_consent_required" {
        return None;
    }
    let first = document.get("errors")?.elements().next()?;
    consent(list(Object::of(first)?.get("unapproved_scopes")?)?)
}

fn consent_required<'d, 't>(document: &'d Object<'t>) -> Option<&'d Object<'t>> {
    (document.get("code")?.text()? == CONSENT_REQUIRED).then_some(document)
}

/// A login cannot bring consent to no scope at all, so that is no requirement; the Python SDK would make one of it.
fn consent(scopes: Vec<String>) -> Option<Gare> {
    let parameters = AuthorizationParameters::default().with_required_scopes(scopes);
    (!parameters.is_empty()).then(|| Gare::new(CONSENT_REQUIRED, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::repair::with_json;

    fn read_text(text: &str) -> Option<Gare> {
        with_json(text, |value| read(&Object::of(value)?)).flatten()
    }

    /// Reads `text` and writes code and parameters as JSON, in the place of an assertion on every field.
    fn shown(text: &str) -> String {
        read_text(text).map_or("none".to_owned(), |gare| {
            let params = serde_json::to_string(&gare.authorization_parameters).unwrap_or_default();
            format!("{} {params}", gare.code)
        })
    }

    #[checks::test]
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

    #[checks::test]
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
            // What is no proper GARE does not hide the consent beside it.
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"required_scopes":"b","prompt":"consent"}}"#,
                r#"ConsentRequired {"required_scopes":["a"]}"#,
            ),
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

    #[checks::test]
    fn what_was_read_is_no_unknown_field() {
        for (text, unknown) in [
            (
                r#"{"code":"ConsentRequired","required_scopes":["a"],"message":"m"}"#,
                "message",
            ),
            (
                r#"{"code":"ConsentRequired","required_scope":"a","description":"d"}"#,
                "description",
            ),
        ] {
            let extra = read_text(text).map(|gare| gare.extra);
            let names: Vec<_> = extra.iter().flat_map(Extra::names).collect();
            assert_eq!(names, [unknown], "{text}");
        }
    }
}
