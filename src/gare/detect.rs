//! Finding every requirement in a response body.

use std::{borrow::Cow, collections::HashSet};

use super::{
    Gare, Location,
    location::Path,
    repair::with_replies,
    trigger,
    walk::{self, Findings},
};

/// A requirement, and where in the body it was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The requirement.
    pub gare: Gare,
    /// Where it was found.
    pub location: Location,
}

/// Finds every requirement in a response body. Status and content type make no difference to it.
///
/// The order is that of `globus_sdk.gare.to_gares`: first the entries of `errors[]`, then the root, then what is nested
/// elsewhere, in document order. Where a document is a requirement, what is nested in it (a GridFTP reply in its `message`,
/// a `details` object, ...) only fills the fields that it leaves empty; the entries of `errors[]` stand for themselves.
/// What asks for the same as an earlier one is not reported again.
///
/// Takes any bytes: text that is no JSON (which may still hold GridFTP replies), invalid UTF-8 and lone surrogates (read as
/// U+FFFD), `NaN`, any depth. Time and memory are linear in the length of the body. A body that holds none of the words
/// that a requirement cannot do without, as most do, is only searched for these: nothing is parsed or allocated.
///
/// ```
/// use globus_gare::gare::detect;
///
/// // Transfer, telling of a GridFTP server that refuses the login.
/// let body = br#"{"code": "ExternalError.DirListingFailed.LoginFailed", "message": "Details: 530-Login incorrect.\\r\\n530-GridFTP-JSON-Result: {\"DATA_TYPE\": \"result#1.0.0\", \"detail\": {\"DATA_TYPE\": \"not_from_allowed_domain#1.0.0\", \"allowed_domains\": [\"globus.org\"]}}\\r\\n530 End.\\r\\n\n"}"#;
/// let found = detect(body);
/// assert_eq!(found[0].location.to_string(), "message (GridFTP reply)");
/// assert_eq!(found[0].gare.authorization_parameters.session_required_single_domain, ["globus.org"]);
///
/// assert!(detect(b"<html>Bad gateway</html>").is_empty());
/// ```
pub fn detect(body: &[u8]) -> Vec<Found> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let may_be_json = matches!(first, Some(b'{' | b'[' | b'"'));
    let worth_reading = if may_be_json {
        trigger::any(body)
    } else {
        trigger::reply(body)
    };
    if !worth_reading {
        return Vec::new();
    }
    // Repairing is a slow way of checking, and there is mostly nothing to repair.
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    let json = if may_be_json {
        with_replies(&text, walk::json)
    } else {
        None
    };
    let findings = json.unwrap_or_else(|| {
        let mut findings = Findings::default();
        walk::replies(&text, &Path::ROOT, &mut findings);
        findings
    });
    let mut found = findings.into_found();
    if found.len() > 1 {
        let mut seen = HashSet::new();
        found.retain(|found| seen.insert(found.gare.authorization_parameters.requirement_key()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locations and parameters, in the place of an assertion on every field.
    fn shown(body: &str) -> Vec<String> {
        let found = detect(body.as_bytes()).into_iter();
        found
            .map(|found| {
                let params =
                    serde_json::to_string(&found.gare.authorization_parameters).unwrap_or_default();
                format!("{} {params}", found.location)
            })
            .collect()
    }

    #[checks::test]
    fn places() {
        let gare = |name: &str| {
            format!(r#"{{"authorization_parameters":{{"session_required_policies":["{name}"]}}}}"#)
        };
        let (a, b, c) = (gare("a"), gare("b"), gare("c"));
        let params = |name: &str| format!(r#"{{"session_required_policies":["{name}"]}}"#);
        let expected = |rows: &[(&str, &str)]| -> Vec<String> {
            rows.iter()
                .map(|(location, name)| format!("{location} {}", params(name)))
                .collect()
        };
        for (body, rows) in [
            (a.clone(), &[("root", "a")][..]),
            (format!("\u{feff} \n{a}"), &[("root", "a")]),
            (format!("[{a}, 7, {b}]"), &[("[0]", "a"), ("[2]", "b")]),
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
                format!(
                    r#"{{"details":{{"action_statuses":[{{"details":{a}}},{{"details":{b}}}]}}}}"#
                ),
                &[
                    ("details.action_statuses[0].details", "a"),
                    ("details.action_statuses[1].details", "b"),
                ],
            ),
            (format!(r#"{{"data":{a}}}"#), &[]),
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
            assert_eq!(shown(&body), expected(rows), "{body}");
        }
    }

    #[checks::test]
    fn what_is_nested_fills_what_is_empty() {
        let body = r#"{"authorization_parameters": {"session_required_policies": ["p"]},
            "message": "530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_required_policies\": [\"q\"]}}",
            "details": {"code": "ConsentRequired", "required_scope": "s", "description": "d"}}"#;
        let expected = concat!(
            r#"root {"session_message":"d","session_required_policies":["p"],"session_required_mfa":true,"#,
            r#""required_scopes":["s"]}"#
        );
        assert_eq!(shown(body), [expected]);
    }

    #[checks::test]
    fn scopes_that_can_be_read_take_the_place_of_odd_ones() {
        let nested = r#""detail": {"code": "ConsentRequired", "required_scopes": ["a"]}"#;
        for extra in ["", r#", "x": 1"#] {
            let body = format!(
                r#"{{"authorization_parameters": {{"required_scopes": 7{extra}}}, {nested}}}"#
            );
            let found = detect(body.as_bytes());
            let others = &found[0].gare.authorization_parameters.extra;
            let names: Vec<_> = others.names().collect();
            assert_eq!(names, if extra.is_empty() { vec![] } else { vec!["x"] });
            assert_eq!(others.is_empty(), names.is_empty());
        }
    }

    #[checks::test]
    fn odd_scopes_stay_where_nothing_takes_their_place() {
        let body = r#"{"authorization_parameters": {"required_scopes": 7},
            "detail": {"authorization_parameters": {"session_required_mfa": true}}}"#;
        let expected = r#"root {"session_required_mfa":true,"required_scopes":7}"#;
        assert_eq!(shown(body), [expected]);
    }

    #[checks::test]
    fn a_lone_surrogate_costs_no_unknown_field() {
        let document = r#"{"authorization_parameters": {"x": "\ud800", "y": 1}}"#;
        for body in [
            document.to_owned(),
            format!("530-GridFTP-JSON-Result: {document}"),
        ] {
            let found = detect(body.as_bytes());
            let extra = &found[0].gare.authorization_parameters.extra;
            assert_eq!(extra.get::<String>("x").as_deref(), Some("\u{fffd}"));
            assert_eq!(extra.get("y"), Some(1));
        }
    }

    #[checks::test]
    fn every_reply_of_a_string_counts_however_it_is_spelled() {
        let reply = |name: &str| {
            format!(
                r#"GridFTP-JSON-Result: {{\"authorization_parameters\": {{\"session_required_policies\": [\"{name}\"]}}}}"#
            )
        };
        let (a, b) = (reply("a"), reply("b"));
        let on_lines = b.replace(": {", r":\r\n530- {");
        let hidden = b.replace("-J", r"\u002dJ");
        for (first, second) in [(&a, &b), (&a, &on_lines), (&a, &hidden)] {
            for body in [
                format!(r#"{{"message": "{first} {second}"}}"#),
                format!(r#"{{"message": "{second} {first}"}}"#),
            ] {
                assert_eq!(shown(&body).len(), 2, "{body}");
            }
        }
    }

    #[checks::test]
    fn a_reply_ends_where_the_string_does() {
        let body = r#"["GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_message\":", "}}", 7]"#;
        assert_eq!(
            shown(body),
            [r#"[0] (GridFTP reply) {"session_required_mfa":true}"#]
        );
    }

    #[checks::test]
    fn there_are_no_replies_in_replies() {
        let inner = r#"GridFTP\u002dJSON-Result: {\"authorization_parameters\": {}}"#;
        for document in [
            format!(r#"{{"a": "{inner}"}}"#),
            format!(r#"{{"detail": "{inner}"}}"#),
            format!(r#"{{"detail": ["{inner}"]}}"#),
        ] {
            let body = format!("530-GridFTP-JSON-Result: {document}");
            assert_eq!(detect(body.as_bytes()), [], "{body}");
        }
    }

    #[checks::test]
    fn what_holds_a_reply_is_no_document_for_that() {
        let asks = r#""authorization_parameters": {"prompt": "login"}"#;
        let reply = r#"GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true}}"#;
        for member in [
            format!(r#"{{{asks}, "message": "{reply}"}}"#),
            format!(r#"[{{{asks}, "message": "{reply}"}}]"#),
        ] {
            let found = shown(&format!(r#"{{"data": {member}}}"#));
            assert_eq!(found.len(), 1, "{member}");
            assert!(found[0].ends_with(r#"{"session_required_mfa":true}"#));
        }
    }

    #[checks::test]
    fn as_deep_as_documents_are_looked_at() {
        let asks = r#"{"authorization_parameters": {}}"#;
        for (depth, found) in [(1, 1), (32, 1), (33, 0)] {
            let body = format!(
                r#"{}{asks}{}"#,
                r#"{"detail":"#.repeat(depth),
                "}".repeat(depth)
            );
            assert_eq!(detect(body.as_bytes()).len(), found, "{depth}");
            let body = format!("{}{asks}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(detect(body.as_bytes()).len(), found, "{depth}");
        }
    }

    #[checks::test]
    fn replies_in_any_string() {
        let reply =
            r#"GridFTP-JSON-Result: {\"authorization_parameters\": {\"prompt\": \"login\"}}"#;
        let params = r#"{"prompt":"login"}"#;
        for (body, location) in [
            (
                format!(r#"{{"a": {{"b c": [1, "{reply}"]}}}}"#),
                r#"a["b c"][1] (GridFTP reply)"#,
            ),
            (format!(r#""{reply}""#), "body (GridFTP reply)"),
            (format!("530-{reply}"), "body (GridFTP reply)"),
            (
                format!(r#"{{"message": "530-{reply}"#),
                "body (GridFTP reply)",
            ),
            (
                format!(r#"["{}"]"#, reply.replace("-J", r"\u002dJ")),
                "[0] (GridFTP reply)",
            ),
        ] {
            assert_eq!(shown(&body), [format!("{location} {params}")], "{body}");
        }
        let deep = format!(r#"{}"{reply}"{}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(detect(deep.as_bytes()).len(), 1);
        let shadowed = format!(r#"{{"a": "{reply}", "a": ""}}"#);
        assert_eq!(detect(shadowed.as_bytes()), []);
    }

    #[checks::test]
    fn a_cut_reply_names_what_it_wants_or_wants_nothing() {
        let cut =
            r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_message": "m", "#;
        assert_eq!(shown(cut), [""; 0]);
        let cut = r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_required_mfa": true, "sess"#;
        assert_eq!(
            shown(cut),
            [r#"body (GridFTP reply) {"session_required_mfa":true}"#]
        );
    }

    #[checks::test]
    fn odd_spellings_of_json() {
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
            assert_eq!(shown(body), [expected], "{body}");
        }
        assert_eq!(
            detect(b"{\"authorization_parameters\": {}, \"x\": \"\xff\"}").len(),
            1
        );
        assert_eq!(detect(br#"{"authorization_parameters": {}} trailing"#), []);
    }
}
