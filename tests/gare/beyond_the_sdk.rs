//! Requirements in places and spellings that the Python SDK does not read.

use globus_gare::gare::{Gare, detect};
use serde_json::{Value, json};

/// The locations and parameters of the requirements in `body`.
fn found(body: &str) -> Vec<(String, Value)> {
    let found = detect(body.as_bytes()).into_iter();
    found
        .map(|found| {
            let params = serde_json::to_value(&found.gare.authorization_parameters);
            (found.location.to_string(), params.expect("JSON"))
        })
        .collect()
}

fn one(location: &str, params: Value) -> Vec<(String, Value)> {
    vec![(location.to_owned(), params)]
}

#[checks::test]
fn empty_parameters_are_filled_from_the_detail() {
    let domain = json!({"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": ["d"]});
    for (params, expected) in [
        (json!({}), json!({"session_required_single_domain": ["d"]})),
        (
            json!({"session_message": "m"}),
            json!({"session_message": "m", "session_required_single_domain": ["d"]}),
        ),
        (
            json!({"session_required_mfa": true}),
            json!({"session_required_mfa": true}),
        ),
    ] {
        let body = json!({"authorization_parameters": params, "detail": domain}).to_string();
        assert_eq!(found(&body), one("root", expected), "{body}");
    }
    let odd = json!({"authorization_parameters": {}, "detail": "text"}).to_string();
    assert_eq!(found(&odd), one("root", json!({})));
}

#[checks::test]
fn lists_of_runs_and_jobs_are_documents() {
    let asks = |scope: &str| json!({"authorization_parameters": {"required_scopes": [scope]}});
    for list in ["runs", "jobs"] {
        let body = json!({ list: [{"details": asks("a")}, {}, {"inactive_reason": {"detail": asks("b")}}] });
        let expected = [
            (
                format!("{list}[0].details"),
                json!({"required_scopes": ["a"]}),
            ),
            (
                format!("{list}[2].inactive_reason.detail"),
                json!({"required_scopes": ["b"]}),
            ),
        ];
        assert_eq!(found(&body.to_string()), expected);
    }
}

#[checks::test]
fn causes_below_details_are_read_once() {
    let consent = json!({"code": "ConsentRequired", "required_scope": "s"}).to_string();
    let expected = one(
        "details.details.cause (action provider)",
        json!({"required_scopes": ["s"]}),
    );
    let run = |cause: &str| json!({"details": {"details": {"cause": cause}}}).to_string();
    assert_eq!(found(&run(&consent)), expected);
    assert_eq!(found(&run(&format!(" {consent}\n"))), expected);
    // Documents nested in a cause count as in a body.
    let nested =
        json!({"errors": [{"detail": {"code": "ConsentRequired", "required_scope": "s"}}]});
    assert_eq!(found(&run(&nested.to_string())), expected);
    for body in [
        // A cause within a cause, a cause with text around its JSON, and a list do not count.
        run(&json!({"details": {"cause": consent}}).to_string()),
        run(&format!("failed: {consent}")),
        run(&json!([consent]).to_string()),
        // Only a `cause` counts, and only below `details`.
        json!({ "cause": consent }).to_string(),
        json!({"details": {"message": consent}}).to_string(),
        json!({"detail": {"cause": consent}}).to_string(),
        json!({"details": {"data": {"cause": consent}}}).to_string(),
        json!({"details": {"data": {"cause": consent, "text": "GridFTP-JSON-Result:"}}})
            .to_string(),
        json!({"data": {"details": {"cause": consent}}}).to_string(),
    ] {
        assert_eq!(found(&body), [], "{body}");
    }
}

#[checks::test]
fn empty_scopes_are_dropped() {
    let scopes = |scopes: Value| {
        json!({"code": "X", "authorization_parameters": {"required_scopes": scopes}}).to_string()
    };
    for (body, expected) in [
        (
            scopes(json!(["", "a", ""])),
            json!({"required_scopes": ["a"]}),
        ),
        (
            scopes(json!("a,,b,")),
            json!({"required_scopes": ["a", "b"]}),
        ),
        (scopes(json!([""])), json!({})),
        (scopes(json!([" "])), json!({"required_scopes": [" "]})),
    ] {
        assert_eq!(found(&body), one("root", expected), "{body}");
    }
    for body in [
        json!({"code": "ConsentRequired", "required_scope": ""}),
        json!({"code": "ConsentRequired", "required_scopes": ["", ""]}),
        json!({"code": "ConsentRequired", "required_scopes": ","}),
        json!({"error": "dependent_consent_required", "errors": [{"unapproved_scopes": [""]}]}),
        json!({"detail": {"DATA_TYPE": "missing_required_scopes#1.0.0", "required_scopes": [""]}}),
    ] {
        assert_eq!(found(&body.to_string()), [], "{body}");
    }
}

#[checks::test]
fn escapes_in_a_document_may_be_doubled() {
    let document = r#"{"authorization_parameters": {"session_message": "Say \\"hi\\"\\nand \\u0041", "session_required_mfa": true}}"#;
    let text = format!(
        r"Error (login)\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: {document}\r\n530 End.\r\n"
    );
    let expected = json!({"session_message": "Say \"hi\"\nand A", "session_required_mfa": true});
    let body = json!({ "message": text }).to_string();
    assert_eq!(found(&body), one("message (GridFTP reply)", expected));
    // This is JSON as it is, so no escape is removed.
    let plain = document.replace(r#"\\""#, r#"\""#);
    let text = text.replace(document, &plain);
    let expected =
        json!({"session_message": "Say \"hi\"\\nand \\u0041", "session_required_mfa": true});
    let body = json!({ "message": text }).to_string();
    assert_eq!(found(&body), one("message (GridFTP reply)", expected));
}

#[checks::test]
fn reason_is_used_as_the_message() {
    let message = |text: &str| {
        let gare: Gare = serde_json::from_str(text).expect("a GARE");
        gare.message().map(|message| message.into_owned())
    };
    for (text, expected) in [
        (
            r#"{"authorization_parameters": {}, "reason": "why"}"#,
            Some("why"),
        ),
        (
            r#"{"authorization_parameters": {"session_message": "m"}, "reason": "why"}"#,
            Some("m"),
        ),
        (r#"{"authorization_parameters": {}, "reason": 7}"#, None),
        (r#"{"authorization_parameters": {}}"#, None),
    ] {
        assert_eq!(message(text).as_deref(), expected, "{text}");
    }
}
