//! Requirements as JSON documents: read, written, and read again.

use globus_gare::gare::{AuthorizationParameters, Extra, Gare};

use crate::tables::WRONG_TYPES;

fn parameters(text: &str) -> AuthorizationParameters {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn written<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("JSON")
}

#[checks::test]
fn document_is_written_as_it_was_read() {
    let text =
        r#"{"code":"X","authorization_parameters":{"prompt":"none","new":1},"debug":{"id":[1]}}"#;
    let gare: Gare = serde_json::from_str(text).expect("a GARE");
    assert_eq!(written(&gare), text);
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let from_value: Gare = serde_json::from_value(value.clone()).expect("a GARE");
    assert_eq!(from_value, gare);
    assert_eq!(serde_json::to_value(&gare).expect("JSON"), value);
    let bare = Gare::new("X", AuthorizationParameters::default());
    assert_eq!(
        written(&bare),
        r#"{"code":"X","authorization_parameters":{}}"#
    );
    for text in [
        "null",
        "[]",
        "{}",
        r#"{"code": "X"}"#,
        r#"{"code": "ConsentRequired", "required_scopes": []}"#,
    ] {
        serde_json::from_str::<Gare>(text).expect_err(text);
    }
}

#[checks::test]
fn parameters_are_written_as_they_were_read() {
    let text = concat!(
        r#"{"session_message":"m","session_required_identities":["i"],"session_required_policies":["p","q"],"#,
        r#""session_required_single_domain":["d"],"session_required_mfa":true,"required_scopes":["s"],"#,
        r#""prompt":"consent","optional":{"deep":[1.50]}}"#
    );
    assert_eq!(written(&parameters(text)), text);
}

#[checks::test]
fn empty_fields_are_left_out() {
    for (text, rest) in [
        (
            r#"{"session_message":null,"session_required_mfa":false,"required_scopes":[],"prompt":null}"#,
            "{}",
        ),
        (r#"{"prompt":null,"required_scopes":null}"#, "{}"),
        // The meaning of `null` in an unknown field is not known.
        (r#"{"new":null}"#, r#"{"new":null}"#),
        (r#"{"new":1,"prompt":null}"#, r#"{"new":1}"#),
        (r#"{"new":1,"newer":null}"#, r#"{"new":1,"newer":null}"#),
        // Odd scopes are kept as an unknown field.
        (
            r#"{"required_scopes":{"a": 1}}"#,
            r#"{"required_scopes":{"a": 1}}"#,
        ),
    ] {
        let parameters = parameters(text);
        assert_eq!(written(&parameters), rest, "{text}");
        assert_eq!(written(&parameters.extra), rest, "{text}");
        assert_eq!(parameters.extra.is_empty(), rest == "{}", "{text}");
        assert!(parameters.is_empty(), "{text}");
        let known = AuthorizationParameters::default();
        assert_eq!(parameters == known, rest == "{}", "{text}");
    }
}

#[checks::test]
fn known_field_is_written_once() {
    for (extra, known, expected) in [
        (
            r#"{"prompt":"x","required_scopes":["x"],"session_required_mfa":true}"#,
            AuthorizationParameters::default().with_required_scopes(["s"]),
            r#"{"required_scopes":["s"]}"#,
        ),
        (
            r#"{"prompt":"x"}"#,
            AuthorizationParameters::default(),
            "{}",
        ),
    ] {
        let mut parameters = known;
        parameters.extra = serde_json::from_str(extra).expect("fields");
        assert_eq!(written(&parameters), expected);
    }
}

#[checks::test]
fn parameters_of_a_wrong_type_are_rejected() {
    for &text in WRONG_TYPES {
        serde_json::from_str::<AuthorizationParameters>(text).expect_err(text);
    }
}

#[checks::test]
fn unknown_fields_are_equal_as_values() {
    let extra = |text: &str| serde_json::from_str::<Extra>(text).expect("fields");
    assert_eq!(
        extra(r#"{"a": [1, "\u0061"], "b": {"x": 1, "y": 2}}"#),
        extra(r#"{"b":{"y":2,"x":1},"a":[1,"a"]}"#)
    );
    assert_eq!(extra(r#"{"a": 1e999}"#), extra(r#"{"a": 1e999}"#));
    for (one, other) in [
        (r#"{"a": 1}"#, r#"{"a": 2}"#),
        (r#"{"a": 1}"#, r#"{"b": 1}"#),
        (r#"{"a": 1}"#, "{}"),
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#),
        (r#"{"a": 1}"#, r#"{"a": "1"}"#),
        (r#"{"a": "x"}"#, r#"{"a": "y"}"#),
        (r#"{"a": []}"#, r#"{"a": {}}"#),
        (r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#),
        (r#"{"a": null}"#, r#"{"a": false}"#),
        (r#"{"a": 1e999}"#, r#"{"a": 1}"#),
        (r#"{"a": 1e999}"#, r#"{"a": 2e999}"#),
    ] {
        assert_ne!(extra(one), extra(other));
    }
}

#[checks::test]
fn unknown_fields_are_exact_and_debug_shows_their_names() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let text = format!(r#"{{"big":123456789012345678901234567890.10,"deep":{deep},"huge":1e999}}"#);
    let extra: Extra = serde_json::from_str(&text).expect("fields");
    assert_eq!(written(&extra), text);
    let extra: Extra = serde_json::from_str(r#"{"a": "secret"}"#).expect("fields");
    assert_eq!(format!("{extra:?}"), r#"{"a"}"#);
}
