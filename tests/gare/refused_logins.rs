//! Which texts count as a refused login.

use globus_gare::gare::{Found, detect};
use serde_json::{Value, json};

use crate::quoted_names::{ASKS, WHOLE, coded};

fn login(document: &str) -> String {
    WHOLE.replace("ASKS", document)
}

fn is_believed(body: &str) -> bool {
    let found = detect(body.as_bytes());
    assert!(found.iter().all(|found| !found.is_quoted()), "{body}");
    !found.is_empty()
}

#[checks::test]
fn strings_of_these_members_are_texts() {
    for (member, is_text) in [
        ("message", true),
        ("detail", true),
        ("details", true),
        ("error", true),
        ("error_description", true),
        ("description", true),
        ("cause", true),
        ("reason", true),
        ("exception", true),
        ("nice_status_details", true),
        ("server_response", true),
        ("text", true),
        ("resource", false),
        ("title", false),
        ("msg", false),
        ("Message", false),
        ("messages", false),
        ("input", false),
        ("ctx", false),
        ("name", false),
        ("label", false),
        ("path", false),
        ("source_path", false),
        ("destination_path", false),
        ("display_name", false),
    ] {
        let text = login(ASKS);
        assert_eq!(
            is_believed(&json!({ member: text }).to_string()),
            is_text,
            "{member}"
        );
        let data = json!({"DATA": [{ member: text }]}).to_string();
        assert_eq!(is_believed(&data), is_text, "{member} in DATA");
        let list = json!({ member: [text] }).to_string();
        assert!(!is_believed(&list), "an element of {member}");
    }
    assert!(is_believed(&login(ASKS)), "a body that is no JSON");
    let spelled = json!({"message": login(ASKS)}).to_string();
    let spelled = spelled.replace("message", r"m\u0065ssage");
    assert!(
        is_believed(&spelled),
        "the name of the member is spelled with an escape"
    );
}

#[checks::test]
fn nothing_below_an_input_is_a_text() {
    for member in [
        "input",
        "ctx",
        "name",
        "label",
        "path",
        "source_path",
        "destination_path",
        "display_name",
    ] {
        for body in [
            json!({ member: {"message": login(ASKS)} }),
            json!({ member: [{"detail": {"message": login(ASKS)}}] }),
            json!({"errors": [{ member: {"message": login(ASKS)} }]}),
        ] {
            assert!(!is_believed(&body.to_string()), "{body}");
        }
    }
}

#[checks::test]
fn texts_end_at_a_depth() {
    for (depth, found) in [(0, true), (31, true), (32, false), (500, false)] {
        let text = json!({"message": login(ASKS)});
        for (open, close) in [(r#"{"detail":"#, "}"), (r#"{"data":"#, "}"), ("[", "]")] {
            let body = format!("{}{text}{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(is_believed(&body), found, "{depth} of {open}");
        }
    }
}

#[checks::test]
fn refused_logins_begin_with_a_known_head() {
    for (head, is_head) in [
        ("Command Failed: Error (login)\n", true),
        (
            "Error validating login to endpoint 'x (id)', Error (login)\n",
            true,
        ),
        ("Error (login)\n", true),
        ("Login Failed\n", true),
        ("Login incorrect. : x\n", true),
        ("Mapping collection to specified ID failed.\n", true),
        ("Details: 530-Login incorrect.\n", true),
        ("530-Login incorrect.\n", true),
        ("530-", true),
        (" \r\n\t Error (login)\n", true),
        ("<html><body><pre>Error (login)\n", true),
        ("<!DOCTYPE html>\n<html>\n<pre>530-Login incorrect.\n", true),
        ("Details: 550-Login incorrect.\n", false),
        ("Error (list)\n", false),
        ("Command Failed: Error (list)\n", false),
        ("error (login)\n", false),
        ("Login\n", false),
        ("Mapping collection failed.\n", false),
        ("Note: Error (login)\n", false),
        ("535-Login incorrect.\n", false),
        ("530 Login incorrect.\n", false),
        ("<a title='x'>Error (login)\n", false),
        ("<!-- > -->Error (login)\n", false),
        ("", false),
    ] {
        let text = format!("{head}GridFTP-JSON-Result: {ASKS}\r\n530 End.\r\n");
        assert_eq!(is_believed(&text), is_head, "{text}");
        assert_eq!(is_believed(&coded("X", &text)), is_head, "{text}");
    }
}

#[checks::test]
fn foreign_line_disqualifies_a_refused_login() {
    let reply = |line: &str| {
        format!(
            "Error (login)\n{line}\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: {ASKS}\r\n530 End.\r\n"
        )
    };
    for (line, believed) in [
        ("Server: s", true),
        ("Command: MLSD /x", false),
        ("  Command: MLSD /x", false),
        ("The Command: MLSD /x", true),
        ("550-x", false),
        ("550 x", false),
        ("226 x", false),
        ("531-x", false),
        ("530-x", true),
        ("530 x", true),
        ("5300 x", true),
        ("550x", true),
        ("GlobusError: v=1 c=LOGIN_DENIED", true),
        ("GlobusError: v=1 c=LOGIN_DENIED.", true),
        ("GlobusError: v=1 c=LOGIN_DENIED_TOO", false),
        ("GlobusError: v=1 c=LOGIN", false),
        ("x GlobusError: v=1 c=PATH_NOT_FOUND", false),
        ("---\nDetails: Error: x", false),
        ("---\nDetails: 550-x", false),
        ("---\nDetails:530-x", false),
        (r"---\r\nDetails: Error: x", false),
        ("x ---\n \r\n Details: Error: x", false),
        ("Details: Error: x", true),
    ] {
        assert_eq!(is_believed(&reply(line)), believed, "{line}");
        assert_eq!(is_believed(&coded("X", &reply(line))), believed, "{line}");
        // Lines after the document count too.
        let after = format!("{}\n{line}", reply("Server: s"));
        let cleared = line.starts_with("---\nDetails: 530-");
        assert_eq!(
            is_believed(&after),
            believed && !cleared,
            "{line} at the end"
        );
    }
}

#[checks::test]
fn markers_begin_a_line_after_the_header() {
    let denied = "Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED";
    for (text, believed) in [
        (
            format!("Error (login)\n---\nDetails: 530-{denied}\r\n530-GridFTP-JSON-Result: {ASKS}"),
            true,
        ),
        (
            format!("Error (login)\n---\nDetails: 530-{denied}\r\nGridFTP-JSON-Result: {ASKS}"),
            true,
        ),
        (
            format!(
                "Error (login)\n---\nDetails: 530-{denied}\r\n530-x GridFTP-JSON-Result: {ASKS}"
            ),
            false,
        ),
        (
            format!("Error (login)\n---\nDetails: 530-{denied} GridFTP-JSON-Result: {ASKS}"),
            false,
        ),
        (
            format!("Error (login)\nGridFTP-JSON-Result: {ASKS}\n---\nDetails: 530-{denied}"),
            false,
        ),
        (
            format!(
                "Error (login)\n---\nDetails: 530-x\n530-GridFTP-JSON-Result: {ASKS}\n---\nDetails: 530-{denied}"
            ),
            false,
        ),
        (
            format!("Error (login)\n530-GridFTP-JSON-Result: {ASKS}"),
            true,
        ),
        (format!("530-GridFTP-JSON-Result: {ASKS}"), true),
        (format!("530-530-GridFTP-JSON-Result: {ASKS}"), false),
    ] {
        assert_eq!(is_believed(&text), believed, "{text}");
    }
}

#[checks::test]
fn quotations_count_without_a_code() {
    let text = format!("TransferAPIError: ('GET', 502, \"{}\")", login(ASKS));
    let again = json!({"code": "X", "message": login(ASKS)}).to_string();
    for (body, is_found) in [
        (text.clone(), true),
        (json!({"exception": text}).to_string(), true),
        (json!({"detail": again}).to_string(), true),
        (json!({"errors": [{"detail": text}]}).to_string(), true),
        (json!({"data": [{"cause": text}]}).to_string(), true),
        (json!({"code": "X", "exception": text}).to_string(), false),
        (json!({"exception": text, "code": null}).to_string(), false),
        (
            json!({"code": "X", "errors": [{"detail": text}]}).to_string(),
            false,
        ),
        (
            json!({"data": {"code": 1, "list": [{"cause": text}]}}).to_string(),
            false,
        ),
        // A quotation needs one of two heads, after a quote sign, and a header.
        (
            text.replace(
                "Command Failed: Error (login)",
                "Error validating login to endpoint 'x'",
            ),
            true,
        ),
        (
            text.replace("Command Failed: Error (login)", "Error (login)"),
            false,
        ),
        (text.replace("\"Command", "Command"), false),
        (text.replace("\"Command", "`Command"), true),
        (text.replace("---\n", ""), false),
        (
            format!("---\nDetails: 530-x\n{}", text.replace("---\n", "")),
            false,
        ),
        (text.replace("Server: s", "Command: x"), false),
    ] {
        let found = detect(body.as_bytes());
        assert_eq!(found.len(), usize::from(is_found), "{body}");
        assert!(found.iter().all(Found::is_quoted), "{body}");
    }
}

#[checks::test]
fn quotations_never_join_a_stated_requirement() {
    let quoted = format!("x '{}", login(ASKS));
    let stated =
        json!({"authorization_parameters": {"session_required_mfa": true}, "exception": quoted});
    let found = detect(stated.to_string().as_bytes());
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_quoted());
    let params = &found[0].gare.authorization_parameters;
    assert!(params.session_required_single_domain.is_empty() && params.session_message.is_none());
    // A requirement that is both stated and quoted counts as stated.
    for [first, second] in [["cause", "reason"], ["reason", "cause"]] {
        let body = json!({ first: quoted, second: login(ASKS) }).to_string();
        let found = detect(body.as_bytes());
        assert_eq!(found.len(), 1, "{body}");
        assert!(!found[0].is_quoted(), "{body}");
    }
    // A requirement that is quoted twice counts once.
    let other = quoted.replace("evil.example", "other.example");
    let body = json!({"cause": quoted, "reason": other, "detail": quoted}).to_string();
    let found = detect(body.as_bytes());
    assert_eq!(found.len(), 2, "{body}");
    assert!(found.iter().all(Found::is_quoted), "{body}");
}

#[checks::test]
fn collection_owners_set_only_session_fields() {
    let asks = r#"{"code": "c", "request_id": "r", "authorization_parameters": {"session_message": "m", "session_required_identities": ["i"],
        "session_required_policies": ["p"], "session_required_single_domain": ["d"], "session_required_mfa": true,
        "required_scopes": ["s"], "prompt": "login", "new": 1}}"#;
    let found = detect(login(asks).as_bytes());
    assert_eq!(found.len(), 1);
    let expected = json!({"code": "c", "authorization_parameters": {"session_message": "m", "session_required_identities": ["i"],
        "session_required_policies": ["p"], "session_required_single_domain": ["d"], "session_required_mfa": true}});
    assert_eq!(
        serde_json::to_value(&found[0].gare).expect("JSON"),
        expected
    );
    for (document, is_found) in [
        (
            r#"{"authorization_parameters": {"required_scopes": ["s"]}}"#,
            false,
        ),
        (
            r#"{"authorization_parameters": {"required_scopes": ["s"], "session_message": "m"}}"#,
            false,
        ),
        (
            r#"{"authorization_parameters": {"prompt": "login"}}"#,
            false,
        ),
        (r#"{"authorization_parameters": {"new": 1}}"#, false),
        (
            r#"{"code": "ConsentRequired", "required_scopes": ["s"]}"#,
            false,
        ),
        (
            r#"{"detail": {"DATA_TYPE": "missing_required_scopes#1.0.0", "required_scopes": ["s"]}}"#,
            false,
        ),
        (r#"{"authorization_parameters": {}}"#, true),
        (
            r#"{"authorization_parameters": {"session_message": "m"}}"#,
            true,
        ),
        (
            r#"{"detail": {"DATA_TYPE": "authentication_timeout#1.0.0"}}"#,
            true,
        ),
    ] {
        assert_eq!(is_believed(&login(document)), is_found, "{document}");
    }
    // A service's own requirement keeps all its fields, and gets no message of a collection's
    // server.
    let stated =
        json!({"code": "ConsentRequired", "required_scopes": ["s"], "detail": login(asks)});
    let found = detect(stated.to_string().as_bytes());
    let params = serde_json::to_value(&found[0].gare.authorization_parameters).expect("JSON");
    let expected = json!({"session_required_identities": ["i"], "session_required_policies": ["p"],
        "session_required_single_domain": ["d"], "session_required_mfa": true, "required_scopes": ["s"]});
    assert_eq!(params, expected);
}

/// All fields of GCS Manager's JSON count.
#[checks::test]
fn json_of_a_gcs_manager_is_not_confined() {
    let asks = json!({"code": "c", "authorization_parameters": {"required_scopes": ["s"], "prompt": "login"}});
    let found = detect(asks.to_string().as_bytes());
    let params: Value =
        serde_json::to_value(&found[0].gare.authorization_parameters).expect("JSON");
    assert_eq!(params, json!({"required_scopes": ["s"], "prompt": "login"}));
}
