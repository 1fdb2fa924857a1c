//! Every form of a single document, and what it says.

use globus_gare::gare::{AuthorizationParameters, Extra, Gare};

fn read_text(text: &str) -> Option<Gare> {
    serde_json::from_str(text).ok()
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
            r#"ConsentRequired {"required_scopes":["a","b"]}"#,
        ),
        (
            r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a",""]},{},7,{"unapproved_scopes":"b"},{"unapproved_scopes":["c","a","c"]}]}"#,
            r#"ConsentRequired {"required_scopes":["a","c"]}"#,
        ),
        (
            r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":[]},{"unapproved_scopes":["b"]}]}"#,
            r#"ConsentRequired {"required_scopes":["b"]}"#,
        ),
        (
            r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":"a"},{"unapproved_scopes":"b,c"}]}"#,
            r#"ConsentRequired {"required_scopes":["a","b","c"]}"#,
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

#[checks::test]
fn what_is_beside_the_detail_is_kept() {
    let text = r#"{"code": "c", "has_next_page": false,
        "detail": {"DATA_TYPE": "authentication_timeout#1.0.0"}}"#;
    let extra = read_text(text).map(|gare| gare.extra);
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

#[checks::test]
fn wrong_types_are_refused() {
    for text in [
        r#"{"session_message": 1}"#,
        r#"{"session_required_identities": {"a": 1}}"#,
        r#"{"session_required_policies": [1]}"#,
        r#"{"session_required_single_domain": true}"#,
        r#"{"session_required_mfa": "true"}"#,
        r#"{"prompt": []}"#,
        "[]",
        "1",
    ] {
        serde_json::from_str::<AuthorizationParameters>(text).expect_err(text);
    }
}

#[checks::test]
fn odd_scopes_survive() {
    let params: AuthorizationParameters =
        serde_json::from_str(r#"{"required_scopes": {"a": 1}}"#).expect("JSON");
    assert!(params.required_scopes.is_empty());
    assert_eq!(
        serde_json::to_string(&params).expect("JSON"),
        r#"{"required_scopes":{"a": 1}}"#
    );
}
