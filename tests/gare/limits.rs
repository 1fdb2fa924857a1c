//! Bodies that are made to cost time, memory or stack. None is timed: with quadratic cost, the test
//! would exceed its time limit.

use globus_gare::gare::detect;

const MIB: usize = 1 << 20;

const GARE: &str = r#"{"authorization_parameters":{"session_required_policies":["p"]}}"#;
const REPLY: &str =
    r#"530-GridFTP-JSON-Result: {"authorization_parameters":{"session_required_policies":["p"]}}"#;

fn count(body: &str) -> usize {
    detect(body.as_bytes()).len()
}

#[checks::test]
fn endless_brackets_take_bounded_time() {
    for piece in [
        "{",
        "[",
        r#"{"":"#,
        r#"{"authorization_parameters":"#,
        r#"[{"errors":["#,
        "\"\\",
        "[NaN,",
    ] {
        let length = if piece.len() == 1 { 10 * MIB } else { MIB };
        let body = piece.repeat(length / piece.len());
        assert_eq!(count(&body), 0, "{piece}");
        assert_eq!(
            count(&format!("{body}authorization_parameters")),
            0,
            "{piece}"
        );
        assert_eq!(count(&format!("{body}{REPLY}")), 0, "{piece}");
        assert_eq!(count(&format!("{REPLY}{body}")), 1, "{piece}");
        assert_eq!(
            count(&format!("530-GridFTP-JSON-Result: {body}")),
            0,
            "{piece}"
        );
    }
}

/// Each document in a text has the location of the text.
#[checks::test]
fn long_locations_take_bounded_memory() {
    let name = "\u{e0001}".repeat(64);
    let reply = r#"530-GridFTP-JSON-Result: {"authorization_parameters":{}}"#;
    let text = serde_json::json!({ "text": reply }).to_string();
    let open = format!(r#"{{"{name}":"#).repeat(31);
    let body = format!("{open}{text}{}", "}".repeat(31));
    let found = detect(body.as_bytes());
    let location = found[0].location.to_string();
    assert!(location.starts_with("...") && location.ends_with(".text (GridFTP reply)"));
    assert!(location.len() < 1024, "{}", location.len());
}

#[checks::test]
fn deep_documents_take_bounded_time() {
    for (open, close) in [
        (r#"{"detail":"#, "}"),
        (r#"{"errors":["#, "]}"),
        ("[", "]"),
        (r#"{"x":"#, "}"),
    ] {
        let depth = MIB / (open.len() + close.len());
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        assert_eq!(count(&format!("{open}{GARE}{close}")), 0);
        let text = serde_json::json!({ "message": REPLY });
        assert_eq!(count(&format!("{open}{text}{close}")), 0);
        // A deep value beside a requirement does not matter, and is kept.
        let beside = GARE.replacen('{', &format!(r#"{{"deep":{open}1{close},"#), 1);
        let found = detect(beside.as_bytes());
        assert_eq!(found.len(), 1);
        assert!(serde_json::to_string(&found[0].gare).expect("JSON").len() >= beside.len());
    }
}

#[checks::test]
fn many_replies_take_bounded_time() {
    let padding = " ".repeat(MIB / 10_000 - 25);
    for reply in [
        "530-GridFTP-JSON-Result:",
        "530-GridFTP-JSON-Result: {",
        r#"530-GridFTP-JSON-Result: {\""#,
        "530-\n---\nDetails: 530-GridFTP-JSON-Result:",
        "'Command Failed: Error (login)",
        "GlobusError: v=1 c=LOGIN_DENIED",
    ] {
        let reply = format!("{reply}\n");
        let text = format!("{reply}{padding}").repeat(10_000);
        assert_eq!(count(&text), 0);
        assert_eq!(
            count(&serde_json::json!({ "message": text }).to_string()),
            0
        );
    }
    // Ten thousand different requirements, in one string and in as many members: 64 are returned.
    let replies = (0..10_000).map(|n| REPLY.replace(r#""p""#, &format!("\"{n}\"")) + "\n");
    assert_eq!(count(&replies.clone().collect::<String>()), 64);
    let members = replies.map(|reply| serde_json::json!({ "text": reply }).to_string());
    let body = format!("{{\"x\":[{}]}}", members.collect::<Vec<_>>().join(", "));
    assert_eq!(count(&body), 64);
}

#[checks::test]
fn many_members_and_entries_take_bounded_time() {
    let members: String = (0..200_000).map(|n| format!("\"name{n}\":{n},")).collect();
    assert_eq!(count(&GARE.replacen('{', &format!("{{{members}"), 1)), 1);
    let repeated = "\"code\":\"X\",".repeat(100_000);
    assert_eq!(count(&GARE.replacen('{', &format!("{{{repeated}"), 1)), 1);
    let entries = vec![GARE; 20_000].join(",");
    assert_eq!(count(&format!("{{\"errors\":[{entries}]}}")), 1);
}

#[checks::test]
fn endless_escapes_take_bounded_time() {
    for piece in [
        r"\\", r"\r", r"\\r", "%0D", r"\u0061", "530-\r\n", r#"\""#, "\"", "a\\", "\n", " \n",
        "<br>",
    ] {
        // As long as the longest body that is inspected by default.
        let text = piece.repeat(MIB / 4 / piece.len());
        for start in ["{", "{\"", r#"{\""#, r#"{\\\""#, r#"{"a":1,"#, ""] {
            assert_eq!(
                count(&format!("530-GridFTP-JSON-Result: {start}{text}")),
                0,
                "{start} {piece}"
            );
        }
    }
}
