//! Documents and their requirements, for a document that is read alone and one that is found in a
//! body.

/// Documents with parameters, and their code and parameters.
pub(crate) const PARAMETERS: &[(&str, &str)] = &[
    (r#"{"code":"","authorization_parameters":{}}"#, " {}"),
    (
        r#"{"code":"","authorization_parameters":{"session_required_policies":"a"}}"#,
        r#"AuthorizationRequired {"session_required_policies":["a"]}"#,
    ),
    (
        r#"{"code":0,"authorization_parameters":{}}"#,
        "AuthorizationRequired {}",
    ),
    (r#"{"code":1,"authorization_parameters":{}}"#, "none"),
    (r#"{"code":"X","authorization_parameters":null}"#, "none"),
    (r#"{"code":"X","authorization_parameters":[]}"#, "none"),
    (
        r#"{"authorization_parameters":{"session_required_single_domain":"a, b,"}}"#,
        r#"AuthorizationRequired {"session_required_single_domain":["a"," b",""]}"#,
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
    (r#"{"code":"X","authorization_parameters":"x"}"#, "none"),
    (
        r#"{"authorization_parameters":{"session_required_single_domain":["a, b"]}}"#,
        r#"AuthorizationRequired {"session_required_single_domain":["a, b"]}"#,
    ),
    (
        r#"{"authorization_parameters":{"session_required_policies":["\u0061\n", ""]}}"#,
        r#"AuthorizationRequired {"session_required_policies":["a\n",""]}"#,
    ),
];

/// Documents that lack a consent, and their code and parameters.
pub(crate) const CONSENTS: &[(&str, &str)] = &[
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
    // A malformed GARE does not hide the consent beside it.
    (
        r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"required_scopes":"b","prompt":"consent"}}"#,
        r#"ConsentRequired {"required_scopes":["a"]}"#,
    ),
    (
        r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"session_required_identities":"i","prompt":"consent"}}"#,
        r#"ConsentRequired {"required_scopes":["a"]}"#,
    ),
    (r#"{"code":"Other","required_scopes":["a"]}"#, "none"),
    (
        r#"{"code":"ConsentRequired","required_scope":"a","authorization_parameters":{"prompt":1,"x":2}}"#,
        r#"ConsentRequired {"required_scopes":["a"],"x":2}"#,
    ),
    (
        r#"{"code":"ConsentRequired","required_scopes":["a"],"authorization_parameters":{"prompt":1,"x":2}}"#,
        r#"ConsentRequired {"required_scopes":["a"]}"#,
    ),
    (
        r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a"]},{"unapproved_scopes":["b"]}]}"#,
        r#"ConsentRequired {"required_scopes":["a","b"]}"#,
    ),
    (
        r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a",""]},{},7,{"unapproved_scopes":"b"},{"unapproved_scopes":["c","a","c"]}]}"#,
        r#"ConsentRequired {"required_scopes":["a","c"]}"#,
    ),
    (
        r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":[]},{"unapproved_scopes":["b"]}]}"#,
        r#"ConsentRequired {"required_scopes":["b"]}"#,
    ),
    (
        r#"{"error":"dependent_consent_required","errors":[{"unapproved_scopes":"a"},{"unapproved_scopes":"b,c"}]}"#,
        r#"ConsentRequired {"required_scopes":["a","b","c"]}"#,
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
];

/// Details of Globus Connect Server, and the code and parameters of their document.
pub(crate) const DETAILS: &[(&str, &str)] = &[
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
];

/// Fields beside a detail, and the code and parameters of their document.
pub(crate) const AROUND_A_DETAIL: &[(&str, &str)] = &[
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
];

/// Parameters of a wrong type.
pub(crate) const WRONG_TYPES: &[&str] = &[
    r#"{"session_message": 1}"#,
    r#"{"session_required_identities": {"a": 1}}"#,
    r#"{"session_required_policies": [1]}"#,
    r#"{"session_required_single_domain": true}"#,
    r#"{"session_required_mfa": "true"}"#,
    r#"{"prompt": []}"#,
    "[]",
    "1",
];
