//! Every form of a single document, and what it says.

use globus_gare::gare::{AuthorizationParameters, Extra, Gare};

use crate::tables::{AROUND_A_DETAIL, CONSENTS, DETAILS, PARAMETERS, WRONG_TYPES};

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
    for &(text, expected) in PARAMETERS {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[checks::test]
fn consents() {
    for &(text, expected) in CONSENTS {
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
    for &(detail, expected) in DETAILS {
        let document = format!(r#"{{"code":"c","message":"Log in again.","detail":{detail}}}"#);
        assert_eq!(shown(&document), expected, "{detail}");
    }
}

#[checks::test]
fn around_the_detail() {
    let detail = r#""detail":{"DATA_TYPE":"authentication_timeout#1.1.0"}"#;
    for &(rest, expected) in AROUND_A_DETAIL {
        assert_eq!(shown(&format!("{{{detail}{rest}}}")), expected, "{rest}");
    }
}

#[checks::test]
fn wrong_types_are_refused() {
    for &text in WRONG_TYPES {
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
