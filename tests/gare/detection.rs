//! What is found where, and what becomes of what is nested.

use crate::shown::{asks_for, assert_policies, located};

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
