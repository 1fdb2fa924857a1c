//! Requirements in GridFTP replies, in every spelling of services, whole or cut off.

use globus_gare::gare::{AuthorizationParameters, detect};
use serde_json::{Value, json};

use crate::shown::located;

const REPLY: &str = "GridFTP-JSON-Result:";

/// Line ends as services send them: plain, doubled, escaped once and twice, and percent-encoded.
const ENDS: [&str; 8] = [
    "\r\n", "\n", "\r\r\n", r"\r\n", r"\n", r"\\r\\n", "%0D%0A", "%0d%0a",
];

const MESSAGE: &str =
    "Log in with a \"uchicago.edu\" identity\r\n530-then [retry] {now} \\ \u{e9} \u{1f511}";

fn sample() -> Value {
    json!({
        "DATA_TYPE": "result#1.1.0",
        "authorization_parameters": {
            "session_message": MESSAGE,
            "session_required_single_domain": ["uchicago.edu"],
        },
        "empty": [{}, [], "", "\\"],
        "http_response_code": 403,
    })
}

fn expected() -> AuthorizationParameters {
    AuthorizationParameters::default()
        .with_session_message(MESSAGE)
        .with_session_required_single_domain(["uchicago.edu"])
}

/// `text`, escaped for a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text as a body, and as the message of a document.
fn bodies(text: &str) -> [String; 2] {
    [text.to_owned(), json!({"message": text}).to_string()]
}

fn found(body: &str) -> Vec<AuthorizationParameters> {
    let found = detect(body.as_bytes()).into_iter();
    found
        .map(|found| found.gare.authorization_parameters)
        .collect()
}

#[checks::test]
fn reply_is_read_in_every_spelling() {
    let line = sample().to_string();
    let pretty = serde_json::to_string_pretty(&sample()).expect("JSON");
    for end in ENDS {
        let continued = pretty.replace('\n', &format!("{end}530-"));
        for json in [&line, &continued, &pretty.replace('\n', end)] {
            for after in [" End.", ""] {
                let reply = format!("530-{REPLY} {json}{end}530{after}");
                let with_head = format!("Details: 530-Login incorrect.{end}{reply}");
                for text in [reply, with_head, format!("530-{REPLY}{json}")] {
                    let once = escaped(&text);
                    let twice = escaped(&once);
                    let thrice = escaped(&twice);
                    for text in [text, once, twice, thrice] {
                        for body in bodies(&text) {
                            assert_eq!(found(&body), [expected()], "{body}");
                        }
                    }
                }
            }
        }
    }
}

#[checks::test]
fn reply_cut_anywhere_gives_no_other_requirement() {
    let pretty = serde_json::to_string_pretty(&sample()).expect("JSON");
    let mut salvaged = 0;
    for end in ["\n", r"\r\n", r"\\r\\n", "%0D%0A"] {
        for tail in ["", "\r\n530 End.\r\n", r"\r\n530 End.\r\n"] {
            let continued = pretty.replace('\n', &format!("{end}530-"));
            let reply = format!("530-{REPLY} {continued}");
            for text in [escaped(&reply), escaped(&escaped(&reply)), reply] {
                for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
                    let body = format!("{}{tail}", &text[..at]);
                    for asked in found(&body) {
                        salvaged += 1;
                        let whole = expected();
                        let message = asked.session_message.is_none()
                            || asked.session_message == whole.session_message;
                        // Part of a list of domains would be another requirement. A reply without
                        // conditions would be one for a fresh login.
                        let domains = asked.session_required_single_domain
                            == whole.session_required_single_domain;
                        assert!(message && domains, "{asked:?} in {body}");
                    }
                }
            }
        }
    }
    assert!(salvaged > 1000, "only {salvaged} gave anything");
}

#[checks::test]
fn cut_reply_keeps_its_whole_values() {
    let policies = r#"body (GridFTP reply) {"session_required_policies":["p"]}"#;
    let mfa = r#"body (GridFTP reply) {"session_required_mfa":true}"#;
    for (cut, expected) in [
        ("", ""),
        (r#"{"session_required_policies": ["p"]"#, policies),
        (r#"{"session_required_policies": ["p"]}"#, policies),
        (r#"{"session_required_policies": ["p""#, ""),
        (r#"{"session_required_policies": ["p", "q"#, ""),
        (
            r#"{"session_required_policies": ["p"], "session_required_identities": ["i""#,
            policies,
        ),
        (r#"{"session_required_mfa": true,"#, mfa),
        (r#"{"session_required_mfa": true, "session_mess"#, mfa),
        (
            r#"{"session_required_mfa": true, "session_message": "m"#,
            mfa,
        ),
        (
            r#"{"session_required_mfa": true, "session_required_policies": ["p"#,
            mfa,
        ),
        (
            r#"{"session_required_mfa": true, "session_message": "m""#,
            r#"body (GridFTP reply) {"session_message":"m","session_required_mfa":true}"#,
        ),
        (
            r#"{"session_required_policies": ["p"], "x": {"k""#,
            policies,
        ),
        (
            r#"{"session_required_policies": ["p"], "x": ["k", {"y"#,
            policies,
        ),
        // White space stays, so the parts around it do not become one literal.
        (
            r#"{"session_required_policies": ["p"], "session_required_mfa": tr ue}}"#,
            "",
        ),
        (r#"{"session_required_mfa": true]"#, ""),
        (r#"{"session_required_policies": ["p"]]"#, policies),
        (r#"{"session_required_mfa": true, \d"#, mfa),
        (r#"{"session_required_mfa": true, "b", "#, mfa),
        (r#"{"session_required_mfa": true, é"b": 1}}"#, mfa),
        ("{\"session_required_mfa\": true, \u{1}\"b\": 1}}", mfa),
        (
            "{\"session_required_policies\": [\"p\"]\r\n530 End.\r\n, \"b\": 1}}",
            policies,
        ),
        (r#"{"session_required_mfa": tru"#, ""),
        // The number may have been longer.
        (r#"{"session_required_mfa": true"#, ""),
        // The string that was cut ends with an escaped quotation mark, which does not close it.
        (
            "{\"session_required_policies\": [\"p\"], \"session_message\": \"say \\\"}}\r\n530 End.",
            policies,
        ),
        // A message alone is no requirement.
        (r#"{"session_message": "m", "#, ""),
    ] {
        let body = format!(r#"530-{REPLY} {{"authorization_parameters": {cut}"#);
        let expected: &[&str] = if expected.is_empty() {
            &[]
        } else {
            &[expected]
        };
        assert_eq!(located(&body), expected, "{body}");
    }
}

/// A whole reply without conditions requires a fresh login. One that is cut off may have lost its
/// conditions.
#[checks::test]
fn empty_requirement_counts_only_in_a_whole_reply() {
    for end in ENDS {
        let whole = format!(
            "530-{REPLY} {{{end}530-\"authorization_parameters\": {{ }},{end}530-\"x\": 1}}{end}530 End."
        );
        let cut = whole.replace("1}", "");
        for (text, expected) in [
            (whole, &[AuthorizationParameters::default()][..]),
            (cut, &[]),
        ] {
            for body in bodies(&text) {
                assert_eq!(found(&body), expected, "{body}");
            }
        }
    }
}

#[checks::test]
fn strings_of_a_reply_are_read_as_json() {
    for (spelled, message) in [
        (r#"a\"b\\c\/d"#, "a\"b\\c/d"),
        (r"\r\n\t\b\f", "\r\n\t\u{8}\u{c}"),
        (r"\u0041\ud83d\ude00", "A\u{1f600}"),
        (r"\ud800", "\u{fffd}"),
        (r"530-\\ } %0A é", "530-\\ } %0A é"),
        // Valid JSON keeps its escapes, although one more level could be removed.
        (r"a\\\\nb", r"a\\nb"),
    ] {
        let document = format!(
            r#"{{"authorization_parameters": {{"session_message": "{spelled}", "session_required_mfa": true}}}}"#
        );
        let expected = AuthorizationParameters::default()
            .with_session_message(message)
            .with_session_required_mfa(true);
        let continued = document.replacen('{', "{\r\n530-", 1);
        for document in [document, continued] {
            for body in bodies(&format!("530-{REPLY} {document}\r\n530 End.\r\n")) {
                assert_eq!(found(&body), std::slice::from_ref(&expected), "{body}");
            }
        }
    }
}

#[checks::test]
fn white_space_of_a_reply_may_be_escaped() {
    let text = format!(
        "530-{REPLY} {{\t\"authorization_parameters\" \\t : \\\\t{{\\\\n\"session_required_mfa\":true\\t}}}}"
    );
    let expected = AuthorizationParameters::default().with_session_required_mfa(true);
    assert_eq!(found(&text), [expected]);
}

/// Texts with two GridFTP replies, in both orders and several spellings. `between` ends the first
/// reply, and `end` the second.
fn two_replies(between: &str, end: &str) -> Vec<String> {
    let reply = |name: &str| {
        format!(
            r#"530-GridFTP-JSON-Result: {{\"authorization_parameters\": {{\"session_required_policies\": [\"{name}\"]}}}}"#
        )
    };
    let (a, b) = (reply("a"), reply("b"));
    let on_lines = b.replace(": {", r":\r\n530- {");
    let hidden = b.replace("-J", r"\u002dJ");
    let pairs = [(&a, &b), (&a, &on_lines), (&a, &hidden)];
    let both = pairs.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]);
    both.map(|(first, second)| format!(r#"{{"message": "{first}{between}{second}{end}"}}"#))
        .collect()
}

#[checks::test]
fn every_reply_of_a_text_counts_in_any_spelling() {
    for (between, end) in [(r"\r\n", r"\r\n"), (r"\n", "")] {
        for body in two_replies(between, end) {
            assert_eq!(found(&body).len(), 2, "{body}");
        }
    }
}

#[checks::test]
fn reply_ends_where_its_string_does() {
    // Neither the rest of the text nor another text of the document completes the reply.
    for next in [r#""x": "\"m\"}}""#, r#""text": "}}""#] {
        let body = format!(
            r#"{{"message": "530-{REPLY} {{\"authorization_parameters\": {{\"session_required_mfa\": true, \"session_message\":", {next}}}"#
        );
        let expected = r#"message (GridFTP reply) {"session_required_mfa":true}"#;
        assert_eq!(located(&body), [expected], "{body}");
    }
    // The unescaped quote ends the string around the whole text.
    let text = r#"530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_required_policies\": [\"uchi", "request_id": "x"]}}"#;
    let expected = r#"body (GridFTP reply) {"session_required_mfa":true}"#;
    assert_eq!(located(text), [expected]);
    // A body that was cut off is not JSON, and does not begin as a refused login does.
    let cut = r#"{"message": "530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true, \"session_required_policies\": [\"uchi", "request_id": "x"]}"#;
    assert_eq!(located(cut), [""; 0]);
}

/// The next reply is not part of a string that was cut, even if it holds a quotation mark.
#[checks::test]
fn cut_reply_ends_before_the_next_one() {
    let cut = r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_required_mfa": true, "session_message": "m"#;
    let next = r#"530-GridFTP-JSON-Result: {"authorization_parameters": {"session_required_policies": ["p"]}}"#;
    let expected = [
        AuthorizationParameters::default().with_session_required_mfa(true),
        AuthorizationParameters::default().with_session_required_policies(["p"]),
    ];
    for end in ENDS {
        for body in bodies(&format!("{cut}{end}{next}")) {
            assert_eq!(found(&body), expected, "{body}");
        }
    }
}

#[checks::test]
fn cut_reply_ends_at_the_next_one() {
    let asks = |policy: &str| {
        format!(
            r#"530-{REPLY} {{"authorization_parameters": {{"session_required_policies": ["{policy}"]"#
        )
    };
    let (a, b, c) = (asks("a"), asks("b"), asks("c"));
    let text = format!(r#"{a}, "session_message": "\r\n{b}}}}}\r\n530-{REPLY} nothing\r\n{c}}}}}"#);
    let policies =
        |policy| AuthorizationParameters::default().with_session_required_policies([policy]);
    for body in bodies(&text) {
        assert_eq!(found(&body), ["a", "b", "c"].map(policies), "{body}");
    }
}

#[checks::test]
fn reply_within_a_reply_does_not_count() {
    for start in ["530-", ""] {
        let inner =
            format!(r#"{start}GridFTP\u002dJSON-Result: {{\"authorization_parameters\": {{}}}}"#);
        for document in [
            format!(r#"{{"a": "{inner}"}}"#),
            format!(r#"{{"detail": "{inner}"}}"#),
            format!(r#"{{"detail": ["{inner}"]}}"#),
        ] {
            for body in bodies(&format!("530-GridFTP-JSON-Result: {document}")) {
                assert_eq!(located(&body), [""; 0], "{body}");
            }
        }
    }
}

#[checks::test]
fn only_the_marker_makes_a_reply() {
    let asks = r#"{"authorization_parameters": {"session_required_mfa": true}}"#;
    for text in [
        format!("530-GridFTP-JSON-result: {asks}"),
        format!("530-GridFTP-JSON-Result {asks}"),
        format!("530-GridFTP JSON Result: {asks}"),
        format!("530-{asks}"),
    ] {
        for body in bodies(&text) {
            assert_eq!(located(&body), [""; 0], "{body}");
        }
    }
}
