//! Which bodies count as JSON, and how odd and broken JSON is read.

use globus_gare::gare::detect;
use serde_json::value::RawValue;

use crate::shown::located;

const KINDS: [&str; 7] = [
    r#"{"authorization_parameters": {}}"#,
    r#"{"code": "ConsentRequired", "required_scopes": ["s"]}"#,
    r#"{"code": "ConsentRequired", "required_scope": "s"}"#,
    r#"{"error": "dependent_consent_required", "errors": [{"unapproved_scopes": ["s"]}]}"#,
    r#"{"detail": {"DATA_TYPE": "missing_required_scopes#1.0.0", "required_scopes": ["s"]}}"#,
    r#"{"detail": {"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": ["d"]}}"#,
    r#"{"detail": {"DATA_TYPE": "authentication_timeout#1.0.0"}}"#,
];

/// The search for words must find a word at any offset.
#[checks::test]
fn every_kind_of_document_is_found_at_any_offset() {
    for kind in KINDS {
        for padding in 0..70 {
            let space = " ".repeat(padding);
            let text = "-".repeat(padding);
            let beside = kind.replacen('{', &format!(r#"{{"x": "{text}", "#), 1);
            for body in [format!("{space}{kind}{space}"), beside] {
                assert_eq!(detect(body.as_bytes()).len(), 1, "{body}");
            }
        }
    }
}

#[checks::test]
fn name_may_be_spelled_with_escapes() {
    for (body, expected) in [
        (r#"{"\u0061uthorization_parameters": {}}"#, "root {}"),
        (r#"{"authorization\u005Fparameters": {}}"#, "root {}"),
        (
            r#"{"code": "Consent\u0052equired", "required\u005fscopes": ["\u0073"]}"#,
            r#"root {"required_scopes":["s"]}"#,
        ),
        (
            r#"{"detail": {"DATA_TYPE": "authentication\u005ftimeout\u00231.0.0"}}"#,
            "root {}",
        ),
    ] {
        assert_eq!(located(body), [expected], "{body}");
    }
}

#[checks::test]
fn last_member_with_a_name_counts() {
    // As many as fit in a requirement of 16 KiB.
    let many: String = (0..300).map(|n| format!(r#""n{n}": {n}, "#)).collect();
    for between in ["", &many] {
        let body = format!(
            r#"{{"authorization_parameters": {{"session_required_policies": ["first"]}}, {between}
                "\u0061uthorization_parameters": {{"session_required_mfa": true, {between}
                    "session_required_policies": ["second"], "session_required\u005fpolicies": ["last"]}}}}"#
        );
        let found = detect(body.as_bytes());
        let parameters = &found[0].gare.authorization_parameters;
        assert_eq!(parameters.session_required_policies, ["last"]);
        assert!(found.len() == 1 && parameters.session_required_mfa);
    }
    let body = r#"{"authorization_parameters": 1, "authorization_parameters": {}}"#;
    assert_eq!(located(body), ["root {}"]);
    let body = r#"{"authorization_parameters": {}, "authorization_parameters": 1}"#;
    assert_eq!(located(body), [""; 0]);
    let body = r#"{"authorization_parameters": {}, "x": 1, "y": 2, "x": {"z": [1]}, "\u0079": 3}"#;
    let extra = &detect(body.as_bytes())[0].gare.extra;
    assert_eq!(extra.names().count(), 2);
    let x: Option<serde_json::Value> = extra.get("x");
    assert_eq!(x, Some(serde_json::json!({"z": [1]})));
    assert_eq!(extra.get("y"), Some(3));
}

#[checks::test]
fn invalid_numbers_and_lone_surrogates_are_mended() {
    for (body, expected) in [
        (
            r#"{"authorization_parameters": {"prompt": "login"}, "x": NaN, "y": [-Infinity, Infinity]}"#,
            r#"root {"prompt":"login"}"#,
        ),
        (
            r#"{"authorization_parameters": {"session_message": "\ud800"}}"#,
            "root {\"session_message\":\"\u{fffd}\"}",
        ),
        (
            r#"{"authorization_parameters": {"session_message": "\uD83D\uDE00 \ud83d\ud83d\ude00 \udc00"}}"#,
            "root {\"session_message\":\"\u{1f600} \u{fffd}\u{1f600} \u{fffd}\"}",
        ),
        // `NaN` in a string is no number, and an escaped backslash begins no escape.
        (
            r#"{"authorization_parameters": {"session_message": "NaN \" Infinity \\ud800"}, "x": NaN}"#,
            r#"root {"session_message":"NaN \" Infinity \\ud800"}"#,
        ),
        (
            r#"{"authorization_parameters": {"session_message": "é", "session_required_policies": ["\ud800é"]}}"#,
            "root {\"session_message\":\"é\",\"session_required_policies\":[\"\u{fffd}é\"]}",
        ),
    ] {
        assert_eq!(located(body), [expected], "{body}");
    }
    let body = br#"{"authorization_parameters": {"x": "\ud800", "y": 1}}"#;
    let extra = &detect(body)[0].gare.authorization_parameters.extra;
    assert_eq!(extra.get::<String>("x").as_deref(), Some("\u{fffd}"));
    assert_eq!(extra.get("y"), Some(1));
    let latin = b"{\"authorization_parameters\": {}, \"x\": \"\xff\"}";
    assert_eq!(detect(latin).len(), 1, "no UTF-8");
}

#[checks::test]
fn body_that_is_not_json_holds_no_document() {
    for broken in [
        "{BROKEN",
        r#"{"authorization_parameters": {}"#,
        r#"{"authorization_parameters": {}} trailing"#,
        r#"{"authorization_parameters": {}} {}"#,
        r#"{"authorization_parameters": {}, "x": Nil}"#,
        r#"{"authorization_parameters": {}, "x": -Infinite}"#,
        r#"{"authorization_parameters": {}, "x": tru}"#,
        r#"{"authorization_parameters": {}, "x": "\ud8"}"#,
        "{\"authorization_parameters\": {}, \"x\": \"\u{1}\"}",
        r#"{"authorization_parameters": {},}"#,
        r#"{'authorization_parameters': {}}"#,
    ] {
        assert_eq!(located(broken), [""; 0], "{broken}");
    }
}

/// A requirement beside `text` counts if and only if `serde_json` accepts the whole body.
#[checks::test]
fn json_is_what_serde_json_accepts() {
    let same = |text: &str| {
        let body = format!(r#"{{"authorization_parameters": {{}}, "x": {text}}}"#);
        let is_json = serde_json::from_str::<&RawValue>(&body).is_ok();
        assert_eq!(
            detect(body.as_bytes()).len(),
            usize::from(is_json),
            "{body}"
        );
    };
    let pieces = [
        "{", "}", "[", "]", "\"a\"", ":", ",", " ", "1", "-", "0", ".5", "e3", "null", "true",
        "\"", "\\", "\n",
    ];
    // All texts of up to three pieces.
    let mut texts = vec![String::new()];
    for _ in 0..3 {
        let longer = texts
            .iter()
            .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
        texts = longer.collect();
        texts.iter().for_each(|text| same(text));
    }
    for text in [
        r#"{"a":{"b":[1,{"c":null}]},"d":[[],{}]}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        "[1,]",
        "[1}",
        r#"{"a":1]"#,
        r#"{"a":[}"#,
        r#"{1:2}"#,
        " [ ] ",
        "-0",
        "10",
        "1.5",
        "-1.50e+7",
        "0e0",
        "1E-9",
        "01",
        "-01",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "+1",
        "-a",
    ] {
        same(text);
    }
    for length in 0..40 {
        let plain = "p".repeat(length);
        for end in [
            "\"",
            r#"\"x""#,
            r#"\u00e9""#,
            "\u{7f}\u{80}é\"",
            "\u{1f}\"",
            "\n\"",
            r#"\x""#,
            r#"\u00g0""#,
            "\\",
            r"\u12",
            "\0\"",
        ] {
            same(&format!("\"{plain}{end}"));
        }
    }
}
