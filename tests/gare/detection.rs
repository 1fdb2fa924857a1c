//! What is found where, and what becomes of what is nested.

use globus_gare::gare::detect;

use crate::shown::{around, asks_for, assert_policies, located, two_replies};

#[checks::test]
fn documents_are_found_in_every_location() {
    let (a, b, c) = (asks_for("a"), asks_for("b"), asks_for("c"));
    for (body, rows) in [
        (format!("[{a}, 7, {b}]"), &[("[0]", "a"), ("[2]", "b")][..]),
        (
            format!(r#"{{"errors":[{a},{{}},{b}]}}"#),
            &[("errors[0]", "a"), ("errors[2]", "b")],
        ),
        (format!(r#"{{"errors":[{a},{a}]}}"#), &[("errors[0]", "a")]),
        (
            format!(r#"{{"detail":{b},"errors":[{a}]}}"#),
            &[("errors[0]", "a"), ("detail", "b")],
        ),
        (
            format!(r#"{{"error":{b},"detail":{a}}}"#),
            &[("error", "b"), ("detail", "a")],
        ),
        (
            format!(r#"{{"errors":[{{"meta":{a}}}]}}"#),
            &[("errors[0].meta", "a")],
        ),
        (
            format!(r#"{{"inactive_reason":{{"detail":{a}}}}}"#),
            &[("inactive_reason.detail", "a")],
        ),
        (
            format!(r#"{{"details":{{"action_statuses":[{{"details":{a}}},{{"details":{b}}}]}}}}"#),
            &[
                ("details.action_statuses[0].details", "a"),
                ("details.action_statuses[1].details", "b"),
            ],
        ),
        (
            format!(r#"{{"detail":[{a},{b}]}}"#),
            &[("detail[0]", "a"), ("detail[1]", "b")],
        ),
        (
            format!(
                r#"{{"errors":[{a},{c}],"authorization_parameters":{{"session_required_policies":["b"]}}}}"#
            ),
            &[("errors[0]", "a"), ("errors[1]", "c"), ("root", "b")],
        ),
    ] {
        assert_policies(&body, rows);
    }
}

#[checks::test]
fn lone_surrogate_keeps_the_unknown_fields() {
    let body = r#"{"authorization_parameters": {"x": "\ud800", "y": 1}}"#;
    let found = detect(body.as_bytes());
    let extra = &found[0].gare.authorization_parameters.extra;
    assert_eq!(extra.get::<String>("x").as_deref(), Some("\u{fffd}"));
    assert_eq!(extra.get("y"), Some(1));
}

#[checks::test]
fn every_document_of_a_text_is_found() {
    for body in two_replies(r"\n", "") {
        assert_eq!(located(&body).len(), 2, "{body}");
    }
}

#[checks::test]
fn document_ends_with_its_text() {
    let body = r#"{"message": "530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_message\":", "text": "}}"}"#;
    assert_eq!(
        located(body),
        [r#"message (GridFTP reply) {"session_required_mfa":true}"#]
    );
}

#[checks::test]
fn reply_within_a_reply_is_ignored() {
    let inner = r#"GridFTP\u002dJSON-Result: {\"authorization_parameters\": {}}"#;
    for document in around(inner) {
        let body = format!("530-GridFTP-JSON-Result: {document}");
        assert_eq!(detect(body.as_bytes()), [], "{body}");
    }
}

#[checks::test]
fn object_around_a_text_is_no_document() {
    let asks = r#""authorization_parameters": {"prompt": "login"}"#;
    let text = r#"530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true}}"#;
    for member in [
        format!(r#"{{{asks}, "message": "{text}"}}"#),
        format!(r#"[{{{asks}, "message": "{text}"}}]"#),
    ] {
        let found = located(&format!(r#"{{"data": {member}}}"#));
        assert_eq!(found.len(), 1, "{member}");
        assert!(found[0].ends_with(r#"{"session_required_mfa":true}"#));
    }
}

#[checks::test]
fn replies_are_found_in_every_text_location() {
    let text = r#"530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true}}"#;
    let params = r#"{"session_required_mfa":true}"#;
    for (body, location) in [
        (
            format!(r#"{{"a": {{"b c": [1, {{"text": "{text}"}}]}}}}"#),
            r#"a["b c"][1].text (GridFTP reply)"#,
        ),
        (text.to_owned(), "body (GridFTP reply)"),
        (
            format!(r#"{{"cause": "{}"}}"#, text.replace("-J", r"\u002dJ")),
            "cause (GridFTP reply)",
        ),
    ] {
        assert_eq!(located(&body), [format!("{location} {params}")], "{body}");
    }
    // Neither a body that is one JSON string, nor a text that a later member of the name replaces.
    assert_eq!(located(&format!(r#""{text}""#)), [""; 0]);
    assert_eq!(
        located(&format!(r#"{{"text": "{text}", "text": ""}}"#)),
        [""; 0]
    );
}

#[checks::test]
fn cut_document_needs_a_named_requirement() {
    let cut = r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_message": "m", "#;
    assert_eq!(located(cut), [""; 0]);
    let cut = r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_required_mfa": true, "sess"#;
    assert_eq!(
        located(cut),
        [r#"body (GridFTP reply) {"session_required_mfa":true}"#]
    );
}

#[checks::test]
fn odd_json_spellings_are_accepted() {
    for (body, expected) in [
        (r#"{"\u0061uthorization_parameters": {}}"#, r#"root {}"#),
        (
            r#"{"authorization_parameters": {"prompt": "login"}, "x": NaN}"#,
            r#"root {"prompt":"login"}"#,
        ),
        (
            r#"{"authorization_parameters": {"session_message": "\ud800"}}"#,
            "root {\"session_message\":\"\u{fffd}\"}",
        ),
        (
            r#"{"authorization_parameters": 1, "authorization_parameters": {}}"#,
            "root {}",
        ),
    ] {
        assert_eq!(located(body), [expected], "{body}");
    }
    assert_eq!(
        detect(b"{\"authorization_parameters\": {}, \"x\": \"\xff\"}").len(),
        1
    );
    assert_eq!(detect(br#"{"authorization_parameters": {}} trailing"#), []);
}
