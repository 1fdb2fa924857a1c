//! The places where requirements are found in a body, their order, and their names.

use globus_gare::gare::detect;

use crate::shown::{asks_for, assert_policies, located};

/// A GridFTP reply that requires `policy`, as text of a JSON string.
fn reply(policy: &str) -> String {
    let text = format!(
        "530-GridFTP-JSON-Result: {}\r\n530 End.\r\n",
        asks_for(policy)
    );
    serde_json::to_string(&text).expect("JSON")
}

#[checks::test]
fn documents_are_found_where_services_put_them() {
    let a = asks_for("a");
    for (body, rows) in [
        (a.clone(), &[("root", "a")][..]),
        (format!("\u{feff} \n{a}"), &[("root", "a")]),
        (format!(" \t\r\n{a}\n"), &[("root", "a")]),
        // These members hold listings, inputs and names, not errors.
        (format!(r#"{{"data":{a}}}"#), &[]),
        (format!(r#"{{"DATA":[{a}]}}"#), &[]),
        (format!(r#"{{"input":{a}}}"#), &[]),
        (format!(r#"{{"name":{}}}"#, serde_json::json!(a)), &[]),
        (format!("no JSON: {a}"), &[]),
        (format!("{a} trailing"), &[]),
        (String::new(), &[]),
    ] {
        assert_policies(&body, rows);
    }
}

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
fn object_around_a_text_is_not_a_document() {
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
fn replies_are_found_in_text_members_and_plain_text() {
    let (a, b) = (reply("a"), reply("b"));
    let plain = serde_json::from_str::<String>(&a).expect("a string");
    for (body, rows) in [
        (plain.clone(), &[("body (GridFTP reply)", "a")][..]),
        (format!("\u{feff}{plain}"), &[("body (GridFTP reply)", "a")]),
        (
            format!(r#"{{"message": {a}}}"#),
            &[("message (GridFTP reply)", "a")],
        ),
        (
            format!(r#"{{"errors": [{{"message": {a}}}, {{"detail": {b}}}]}}"#),
            &[
                ("errors[0].message (GridFTP reply)", "a"),
                ("errors[1].detail (GridFTP reply)", "b"),
            ],
        ),
        (
            format!(r#"{{"a.b\n": {{"description": {a}}}}}"#),
            &[(r#"["a.b\n"].description (GridFTP reply)"#, "a")],
        ),
        (
            format!(r#"{{"a": {{"b c": [1, {{"text": {a}}}]}}}}"#),
            &[(r#"a["b c"][1].text (GridFTP reply)"#, "a")],
        ),
        (
            format!(r#"{{"cause": {}}}"#, a.replace("-J", r"\u002dJ")),
            &[("cause (GridFTP reply)", "a")],
        ),
        // A body that is a JSON string is neither a document nor a text.
        (a.clone(), &[]),
        // The last member with a name counts.
        (format!(r#"{{"message": {a}, "message": ""}}"#), &[]),
        // A body that was cut off is not JSON, and does not begin as a refused login does.
        (format!(r#"{{"message": {}"#, &a[..a.len() - 1]), &[]),
    ] {
        assert_policies(&body, rows);
    }
}

#[checks::test]
fn overlong_name_is_cut_in_a_location() {
    let name = "n".repeat(1000);
    let body = format!(r#"{{"{name}": {{"message": {}}}}}"#, reply("a"));
    let found = detect(body.as_bytes());
    let location = found[0].location.to_string();
    assert!(location.starts_with(r#"["nnn"#), "{location}");
    assert!(
        location.contains("...") && location.len() < 200,
        "{location}"
    );
}

#[checks::test]
fn nested_documents_fill_empty_fields() {
    let body = r#"{"authorization_parameters": {"session_required_policies": ["p"]},
        "message": "530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_required_policies\": [\"q\"]}}",
        "details": {"code": "ConsentRequired", "required_scope": "s", "description": "d"}}"#;
    let filled = r#"root {"session_message":"d","session_required_policies":["p"],"session_required_mfa":true,"required_scopes":["s"]}"#;
    assert_eq!(located(body), [filled]);
}

#[checks::test]
fn outer_values_win_over_nested_ones() {
    let with = |parameters: &str, nested: &str| {
        format!(
            r#"{{"authorization_parameters": {parameters},
                "detail": {{"authorization_parameters": {nested}}}}}"#
        )
    };
    let all = r#"{"session_message":"inner","session_required_identities":["i"],"session_required_policies":["i"],"session_required_single_domain":["i"],"session_required_mfa":true,"required_scopes":["i"],"prompt":"login"}"#;
    let outer = all.replace("\"i\"", "\"o\"").replace("inner", "outer");
    for (body, expected) in [
        (with("{}", all), all),
        (with(&outer, all), &outer),
        (with(&outer, "{}"), &outer),
    ] {
        assert_eq!(located(&body), [format!("root {expected}")], "{body}");
    }
}

#[checks::test]
fn readable_scopes_replace_odd_ones() {
    let nested = r#""detail": {"code": "ConsentRequired", "required_scopes": ["a"]}"#;
    for (extra, unknown) in [("", &[][..]), (r#", "x": 1"#, &["x"])] {
        let body =
            format!(r#"{{"authorization_parameters": {{"required_scopes": 7{extra}}}, {nested}}}"#);
        let found = detect(body.as_bytes());
        let parameters = &found[0].gare.authorization_parameters;
        assert_eq!(parameters.required_scopes, ["a"]);
        let names: Vec<_> = parameters.extra.names().collect();
        assert_eq!(names, unknown);
        assert_eq!(parameters.extra.is_empty(), unknown.is_empty());
    }
}

#[checks::test]
fn odd_scopes_stay_without_a_replacement() {
    let body = r#"{"authorization_parameters": {"required_scopes": 7},
        "detail": {"authorization_parameters": {"session_required_mfa": true}}}"#;
    let expected = r#"root {"session_required_mfa":true,"required_scopes":7}"#;
    assert_eq!(located(body), [expected]);
}

#[checks::test]
fn documents_are_found_down_to_depth_32() {
    let asks = r#"{"authorization_parameters": {}}"#;
    for (depth, found) in [(1, 1), (32, 1), (33, 0)] {
        for (open, close) in [(r#"{"detail":"#, "}"), ("[", "]")] {
            let body = format!("{}{asks}{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(detect(body.as_bytes()).len(), found, "{open} {depth}");
        }
    }
}

#[checks::test]
fn members_of_a_cause_have_their_path_in_the_body() {
    let cause = format!(
        r#"{{"message": {}, "detail": {}}}"#,
        reply("a"),
        asks_for("b")
    );
    let body = serde_json::json!({"details": {"cause": cause}}).to_string();
    assert_policies(
        &body,
        &[
            ("details.cause.message (GridFTP reply)", "a"),
            ("details.cause (action provider)", "b"),
        ],
    );
}

#[checks::test]
fn message_does_not_distinguish_requirements_in_a_body() {
    let asks = |message: &str| {
        format!(
            r#"{{"authorization_parameters": {{"session_required_mfa": true, "session_message": "{message}"}}}}"#
        )
    };
    let body = format!(r#"{{"errors": [{}, {}]}}"#, asks("one"), asks("two"));
    let expected = r#"errors[0] {"session_message":"one","session_required_mfa":true}"#;
    assert_eq!(located(&body), [expected]);
}
