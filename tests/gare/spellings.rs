//! Every spelling of a requirement that services have used, and what is none.

use crate::shown::{coded, unknown};

#[checks::test]
fn parameters_may_be_spelled_in_several_ways() {
    for (body, expected) in [
        (r#"{"code":"","authorization_parameters":{}}"#, " {}"),
        (
            r#"{"code":"","authorization_parameters":{"session_required_policies":"a"}}"#,
            r#"AuthorizationRequired {"session_required_policies":["a"]}"#,
        ),
        (r#"{"code":"X","authorization_parameters":null}"#, "none"),
        (r#"{"code":"X","authorization_parameters":[]}"#, "none"),
        (r#"{"code":"X","authorization_parameters":"x"}"#, "none"),
        (
            r#"{"authorization_parameters":{"session_required_single_domain":"a, b,"}}"#,
            r#"AuthorizationRequired {"session_required_single_domain":["a"," b",""]}"#,
        ),
        (
            r#"{"authorization_parameters":{"session_required_single_domain":["a, b"]}}"#,
            r#"AuthorizationRequired {"session_required_single_domain":["a, b"]}"#,
        ),
        (
            r#"{"authorization_parameters":{"session_required_policies":["\u0061\n", ""]}}"#,
            r#"AuthorizationRequired {"session_required_policies":["a\n",""]}"#,
        ),
        (
            r#"{"authorization_parameters":{"required_scopes":["s"]}}"#,
            r#"AuthorizationRequired {"required_scopes":["s"]}"#,
        ),
        (
            r#"{"code":"X","authorization_parameters":{"required_scopes":"s,t"}}"#,
            r#"X {"required_scopes":["s","t"]}"#,
        ),
        (
            r#"{"code":"X","authorization_parameters":{"required_scopes":7}}"#,
            r#"X {"required_scopes":7}"#,
        ),
        (
            r#"{"code":"X","authorization_parameters":{"session_required_identities":"i,j","prompt":"none"}}"#,
            r#"X {"session_required_identities":["i","j"],"prompt":"none"}"#,
        ),
        (
            r#"{"authorization_parameters":{"prompt":"login"}}"#,
            r#"AuthorizationRequired {"prompt":"login"}"#,
        ),
        (
            r#"{"authorization_parameters":{"prompt":"consent"}}"#,
            "none",
        ),
        (
            r#"{"code":"X","authorization_parameters":{"prompt":"consent"}}"#,
            r#"X {"prompt":"consent"}"#,
        ),
    ] {
        assert_eq!(coded(body), expected, "{body}");
    }
}

#[checks::test]
fn lists_hold_texts_alone() {
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
    for (body, expected) in [
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"message":"m"}"#,
            r#"ConsentRequired {"session_message":"m","required_scopes":["a"]}"#,
        ),
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"message":1}"#,
            "none",
        ),
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"message":1,"required_scope":"b","description":"d"}"#,
            r#"ConsentRequired {"session_message":"d","required_scopes":["b"]}"#,
        ),
        (
            r#"{"code":"ConsentRequired","required_scopes":"a,b"}"#,
            r#"ConsentRequired {"required_scopes":["a","b"]}"#,
        ),
        (
            r#"{"code":"ConsentRequired","required_scopes":"a,b","required_scope":"c"}"#,
            r#"ConsentRequired {"required_scopes":["c"]}"#,
        ),
        (r#"{"code":"ConsentRequired","required_scopes":[]}"#, "none"),
        // What is no proper GARE does not hide the consent beside it.
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"required_scopes":"b","prompt":"consent"}}"#,
            r#"ConsentRequired {"required_scopes":["a"]}"#,
        ),
        (
            r#"{"code":"ConsentRequired","required_scope":"a","authorization_parameters":{"prompt":1,"x":2}}"#,
            r#"ConsentRequired {"required_scopes":["a"],"x":2}"#,
        ),
        (
            r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"prompt":1,"x":2}}"#,
            r#"ConsentRequired {"required_scopes":["a"]}"#,
        ),
        (r#"{"code":"Other","required_scopes":["a"]}"#, "none"),
        (
            r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a"]},{"unapproved_scopes":["b"]}]}"#,
            r#"ConsentRequired {"required_scopes":["a","b"]}"#,
        ),
        (
            r#"{"error":"dependent_consent_required","errors":[]}"#,
            "none",
        ),
        (
            r#"{"error":"dependent_consent_required","errors":["a"]}"#,
            "none",
        ),
        (
            r#"{"error":"dependent_consent_required","errors":{"unapproved_scopes":["a"]}}"#,
            "none",
        ),
        (
            r#"{"error":"dependent_consent_required","errors":[{}]}"#,
            "none",
        ),
        (
            r#"{"error":"other","errors":[{"unapproved_scopes":["a"]}]}"#,
            "none",
        ),
    ] {
        assert_eq!(coded(body), expected, "{body}");
    }
}

#[checks::test]
fn details_of_globus_connect_server_are_read() {
    for (detail, expected) in [
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":["a","b"]}"#,
            r#"c {"session_required_single_domain":["a","b"]}"#,
        ),
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#1.7.2","allowed_domains":"a,b"}"#,
            r#"c {"session_required_single_domain":["a","b"]}"#,
        ),
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#2.0.0","allowed_domains":["a"]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#10.0","allowed_domains":["a"]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":[]}"#,
            "none",
        ),
        (r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0"}"#, "none"),
        (
            r#"{"DATA_TYPE":"not_from_allowed_domain#1.0.0","allowed_domains":[1]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"authentication_timeout#1.1.0","high_assurance":true,"identities":["i"],"require_mfa":false}"#,
            r#"c {"session_message":"Log in again.","session_required_identities":["i"]}"#,
        ),
        (
            r#"{"DATA_TYPE":"authentication_timeout#1.1.0","require_mfa":true}"#,
            r#"c {"session_message":"Log in again.","session_required_mfa":true}"#,
        ),
        (
            r#"{"DATA_TYPE":"authentication_timeout#1.0.0"}"#,
            r#"c {"session_message":"Log in again."}"#,
        ),
        (
            r#"{"DATA_TYPE":"authentication_timeout#1.0.0","require_mfa":"no"}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"missing_required_scopes#1.0.0","required_scopes":["s"]}"#,
            r#"c {"required_scopes":["s"]}"#,
        ),
        (
            r#"{"DATA_TYPE":"missing_required_scopes#1.0.0","required_scopes":[]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"invalid_credential#1.0.0","required_scopes":["s"]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"invalid_user#1.0.0","usernames":["u"]}"#,
            "none",
        ),
        (
            r#"{"DATA_TYPE":"credential_not_found#1.0.0","accounts":[]}"#,
            "none",
        ),
        (r#"{"DATA_TYPE":7}"#, "none"),
        ("null", "none"),
    ] {
        let body = format!(r#"{{"code":"c","message":"Log in again.","detail":{detail}}}"#);
        assert_eq!(coded(&body), expected, "{detail}");
    }
}

#[checks::test]
fn fields_around_a_detail_count_too() {
    let detail = r#""detail":{"DATA_TYPE":"authentication_timeout#1.1.0"}"#;
    for (rest, expected) in [
        ("", "AuthorizationRequired {}"),
        (
            r#","authorization_parameters":null"#,
            "AuthorizationRequired {}",
        ),
        (r#","authorization_parameters":{"prompt":1}"#, "none"),
        (r#","code":7"#, "none"),
        (r#","message":"forbidden""#, "AuthorizationRequired {}"),
        (
            r#","message":"530-GlobusError: v=1""#,
            "AuthorizationRequired {}",
        ),
        (r#","message":7"#, "AuthorizationRequired {}"),
    ] {
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
        let mut names = unknown(body);
        names.sort();
        assert_eq!(names, expected, "{body}");
    }
}
