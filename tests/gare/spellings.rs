//! Every spelling of a requirement that services use, and spellings that do not count.

use crate::shown::{coded, unknown};
use crate::tables::{AROUND_A_DETAIL, CONSENTS, DETAILS, PARAMETERS};

#[checks::test]
fn parameters_may_be_spelled_in_several_ways() {
    for &(body, expected) in PARAMETERS {
        assert_eq!(coded(body), expected, "{body}");
    }
}

#[checks::test]
fn lists_hold_only_strings() {
    for wrong in ["1", "true", "{}", "[1]", r#"["a", null]"#, r#"[["a"]]"#] {
        for list in [
            "session_required_identities",
            "session_required_policies",
            "session_required_single_domain",
        ] {
            let body = format!(r#"{{"code":"X","authorization_parameters":{{"{list}":{wrong}}}}}"#);
            assert_eq!(coded(&body), "none", "{body}");
        }
    }
}

#[checks::test]
fn falsy_code_counts_as_absent() {
    for falsy in [
        "null", "false", "0", "-0", "0.0", "0e7", "[]", "[ ]", "{}", "{\n}",
    ] {
        let body = format!(r#"{{"code":{falsy},"authorization_parameters":{{}}}}"#);
        assert_eq!(coded(&body), "AuthorizationRequired {}", "{falsy}");
    }
    for truthy in ["true", "1", "-0.5", "[0]", r#"{"a":0}"#, "1e400"] {
        let body = format!(r#"{{"code":{truthy},"authorization_parameters":{{}}}}"#);
        assert_eq!(coded(&body), "none", "{truthy}");
    }
}

#[checks::test]
fn consents_name_their_scopes_in_several_ways() {
    for &(body, expected) in CONSENTS {
        assert_eq!(coded(body), expected, "{body}");
    }
}

#[checks::test]
fn details_of_globus_connect_server_are_read() {
    for &(detail, expected) in DETAILS {
        let body = format!(r#"{{"code":"c","message":"Log in again.","detail":{detail}}}"#);
        assert_eq!(coded(&body), expected, "{detail}");
    }
}

#[checks::test]
fn fields_around_a_detail_count_too() {
    let detail = r#""detail":{"DATA_TYPE":"authentication_timeout#1.1.0"}"#;
    for &(rest, expected) in AROUND_A_DETAIL {
        assert_eq!(coded(&format!("{{{detail}{rest}}}")), expected, "{rest}");
    }
}

#[checks::test]
fn unknown_fields_are_those_that_were_not_read() {
    for (body, expected) in [
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"message":"m"}"#,
            &["message"][..],
        ),
        (
            r#"{"code":"ConsentRequired","required_scope":"a","description":"d"}"#,
            &["description"],
        ),
        (
            r#"{"code":"c","has_next_page":false,"detail":{"DATA_TYPE":"authentication_timeout#1.0.0"}}"#,
            &["detail", "has_next_page"],
        ),
        (
            r#"{"code":"X","authorization_parameters":{},"request_id":"r"}"#,
            &["request_id"],
        ),
    ] {
        assert_eq!(unknown(body), expected, "{body}");
    }
}
