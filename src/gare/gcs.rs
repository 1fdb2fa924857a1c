//! Globus Connect Server errors that say what they want in `detail` instead of `authorization_parameters`.

use super::{
    AuthorizationParameters, Extra, Gare, document::is_field, object::Object,
    params_serde::optional, trigger::REPLY, value::Value, variants::code_or_default,
};

/// Reads the `detail` of `document` as a requirement, where it has no `authorization_parameters` (`null` is none).
///
/// Other details (`invalid_credential`, `invalid_user`, `credential_not_found`, ...) ask for something that no login
/// can bring.
pub(super) fn read(document: &Object<'_>) -> Option<Gare> {
    if document.get_some("authorization_parameters").is_some() {
        return None;
    }
    let detail = Object::of(document.get("detail")?)?;
    let data_type = detail.get("DATA_TYPE")?.text()?;
    let list = |name| optional(&detail, name, Value::list_or_csv).map(Option::unwrap_or_default);
    let params = AuthorizationParameters::default();
    // Any 1.x: a minor version only adds fields.
    let params = match data_type.split_once("#1.")?.0 {
        // Also said of a high-assurance session that is too old. Its message is not for people: it comes with
        // `authorization_parameters` in newer servers, which leave it out of them.
        "not_from_allowed_domain" => {
            named(params.with_session_required_single_domain(list("allowed_domains")?))?
        }
        "missing_required_scopes" => named(params.with_required_scopes(list("required_scopes")?))?,
        // Where it names nobody, it still says that the session is too old.
        "authentication_timeout" => AuthorizationParameters {
            session_message: document
                .get("message")
                .and_then(Value::string)
                .filter(|message| is_for_people(message)),
            ..params
                .with_session_required_identities(list("identities")?)
                .with_session_required_mfa(
                    optional(&detail, "require_mfa", Value::boolean)?.unwrap_or_default(),
                )
        },
        _ => return None,
    };
    Some(Gare {
        extra: Extra::of(document, is_field),
        ..Gare::new(code_or_default(document)?, params)
    })
}

fn named(params: AuthorizationParameters) -> Option<AuthorizationParameters> {
    (!params.is_empty()).then_some(params)
}

fn is_for_people(message: &str) -> bool {
    message.trim().contains(char::is_whitespace)
        && !message.contains(REPLY)
        && !message.contains("GlobusError:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::repair::with_json;

    fn shown(text: &str) -> String {
        let gare = with_json(text, |value| read(&Object::of(value)?)).flatten();
        gare.map_or("none".to_owned(), |gare| {
            let params = serde_json::to_string(&gare.authorization_parameters).unwrap_or_default();
            format!("{} {params}", gare.code)
        })
    }

    #[checks::test]
    fn what_is_beside_the_detail_is_kept() {
        let text = r#"{"code": "c", "has_next_page": false,
            "detail": {"DATA_TYPE": "authentication_timeout#1.0.0"}}"#;
        let gare = with_json(text, |value| read(&Object::of(value)?)).flatten();
        let extra = gare.map(|gare| gare.extra);
        let names: Vec<_> = extra.iter().flat_map(Extra::names).collect();
        assert_eq!(names, ["detail", "has_next_page"]);
    }

    #[checks::test]
    fn details() {
        for (detail, expected) in [
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":["a","b"]}"#,
                r#"c {"session_required_single_domain":["a","b"]}"#,
            ),
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#1.7.2","allowed_domains":"a,b"}"#,
                r#"c {"session_required_single_domain":["a","b"]}"#,
            ),
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#2.0.0","allowed_domains":["a"]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#10.0","allowed_domains":["a"]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":[]}"#,
                "none",
            ),
            (r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0"}"#, "none"),
            (
                r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":[1]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"authentication_timeout#1.1.0","high_assurance":true,"identities":["i"],"require_mfa":false}"#,
                r#"c {"session_message":"Log in again.","session_required_identities":["i"]}"#,
            ),
            (
                r#"{"DATA_TYPE":"authentication_timeout#1.1.0","require_mfa":true}"#,
                r#"c {"session_message":"Log in again.","session_required_mfa":true}"#,
            ),
            (
                r#"{"DATA_TYPE":"authentication_timeout#1.0.0"}"#,
                r#"c {"session_message":"Log in again."}"#,
            ),
            (
                r#"{"DATA_TYPE":"authentication_timeout#1.0.0","require_mfa":"no"}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"missing_required_scopes#1.0.0","required_scopes":["s"]}"#,
                r#"c {"required_scopes":["s"]}"#,
            ),
            (
                r#"{"DATA_TYPE":"missing_required_scopes#1.0.0","required_scopes":[]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"invalid_credential#1.0.0","required_scopes":["s"]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"invalid_user#1.0.0","usernames":["u"]}"#,
                "none",
            ),
            (
                r#"{"DATA_TYPE":"credential_not_found#1.0.0","accounts":[]}"#,
                "none",
            ),
            (r#"{"DATA_TYPE":7}"#, "none"),
            ("null", "none"),
        ] {
            let document = format!(r#"{{"code":"c","message":"Log in again.","detail":{detail}}}"#);
            assert_eq!(shown(&document), expected, "{detail}");
        }
    }

    #[checks::test]
    fn around_the_detail() {
        let detail = r#""detail":{"DATA_TYPE":"authentication_timeout#1.1.0"}"#;
        for (rest, expected) in [
            ("", "AuthorizationRequired {}"),
            (
                r#","authorization_parameters":null"#,
                "AuthorizationRequired {}",
            ),
            (r#","authorization_parameters":{"prompt":1}"#, "none"),
            (r#","code":7"#, "none"),
            (r#","message":"forbidden""#, "AuthorizationRequired {}"),
            (
                r#","message":"530-GlobusError: v=1""#,
                "AuthorizationRequired {}",
            ),
            (r#","message":7"#, "AuthorizationRequired {}"),
        ] {
            assert_eq!(shown(&format!("{{{detail}{rest}}}")), expected, "{rest}");
        }
    }
}
