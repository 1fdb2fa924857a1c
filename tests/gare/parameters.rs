//! The conditions in parameters, and their query for Globus Auth.

use globus_gare::gare::AuthorizationParameters;

fn params() -> AuthorizationParameters {
    AuthorizationParameters::default()
}

#[checks::test]
fn session_is_required_unless_only_scopes_are() {
    let scopes = || params().with_required_scopes(["s"]);
    for (asked, empty, session) in [
        (params(), true, true),
        (params().with_session_message("hello"), true, true),
        (scopes(), false, false),
        (scopes().with_session_message("hello"), false, false),
        (
            params().with_session_required_identities(["a"]),
            false,
            true,
        ),
        (params().with_session_required_policies(["a"]), false, true),
        (
            params().with_session_required_single_domain(["a"]),
            false,
            true,
        ),
        (params().with_session_required_mfa(true), false, true),
        (params().with_prompt("login"), false, true),
        (scopes().with_prompt("login"), false, true),
        (scopes().with_session_required_mfa(true), false, true),
    ] {
        assert_eq!(asked.is_empty(), empty, "{asked:?}");
        assert_eq!(asked.requires_session(), session, "{asked:?}");
    }
}

#[checks::test]
fn query_leaves_out_empty_fields() {
    let all = params()
        .with_session_message(" hi & bye ")
        .with_session_required_identities([" a", "", "b "])
        .with_session_required_policies(["p"])
        .with_session_required_single_domain(["d", "e"])
        .with_session_required_mfa(true)
        .with_required_scopes(["s"])
        .with_prompt(" login ");
    let query: Vec<_> = all.to_query();
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(
        query,
        [
            ("session_required_identities", "a,b"),
            ("session_required_single_domain", "d,e"),
            ("session_required_policies", "p"),
            ("session_required_mfa", "True"),
            ("session_message", " hi & bye "),
            ("prompt", "login"),
        ]
    );
    let blank = params()
        .with_session_message(" ")
        .with_session_required_policies(["", " ", ",", " , "])
        .with_prompt("");
    assert_eq!(blank.to_query(), []);
}
