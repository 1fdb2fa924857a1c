//! The small public types of a session: accessors, comparison, `Debug`.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::time::Duration;

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{
    Challenge, Credential, Origin, Principal, ReauthError, ResponseUrl, Session, Target, Trust,
    printable, reauth_fn,
};
use regex_syntax::hir::{Class, HirKind};

fn token(token: &str) -> Credential {
    Credential::bearer(token).expect("a token")
}

#[checks::test]
fn origin_is_scheme_host_and_port() {
    for (url, secure, host, port, shown) in [
        ("https://A.org/x?y", true, "a.org", 443, "https://a.org"),
        ("https://a.org:443", true, "a.org", 443, "https://a.org"),
        ("https://a.org:80", true, "a.org", 80, "https://a.org:80"),
        ("http://a.org:443", false, "a.org", 443, "http://a.org:443"),
        ("http://a.org", false, "a.org", 80, "http://a.org"),
        ("http://A.org:80", false, "a.org", 80, "http://a.org"),
        (
            "http://LOCALHOST",
            false,
            "localhost",
            80,
            "http://localhost",
        ),
        (
            "http://[::1]:8080/",
            false,
            "[::1]",
            8080,
            "http://[::1]:8080",
        ),
        ("http://[::1]", false, "[::1]", 80, "http://[::1]"),
    ] {
        let origin: Origin = url.parse().expect(url);
        let parts = (origin.is_secure(), origin.host(), origin.port());
        assert_eq!(parts, (secure, host, port), "{url}");
        assert_eq!(origin.to_string(), shown, "{url}");
        assert_eq!(shown.parse::<Origin>().expect(shown), origin, "{url}");
        let uri = url.parse().expect(url);
        assert_eq!(Origin::of(&uri).expect(url), origin, "{url}");
    }
}

#[checks::test]
fn origins_are_equal_as_they_are_shown() {
    const SHOWN: [&str; 4] = [
        "https://a.org",
        "http://a.org",
        "https://a.org:8443",
        "https://b.org",
    ];
    let all = SHOWN.map(|url| url.parse::<Origin>().expect(url));
    assert_eq!(HashSet::from(all.clone()).len(), all.len());
    for (url, origin) in [
        ("https://A.org:443/x", &all[0]),
        ("http://a.ORG:80", &all[1]),
    ] {
        assert_eq!(&url.parse::<Origin>().expect(url), origin);
    }
}

#[checks::test]
fn loopback_origins_are_recognised() {
    for (url, loopback) in [
        ("http://localhost", true),
        ("http://LocalHost:1", true),
        ("http://127.0.0.2", true),
        ("http://[::1]", true),
        ("http://[::2]", false),
        ("http://128.0.0.1", false),
        ("http://local.host", false),
        ("http://localhost.example", false),
    ] {
        let origin: Origin = url.parse().expect(url);
        assert_eq!(origin.is_loopback(), loopback, "{url}");
    }
}

#[checks::test]
fn invalid_origin_error_says_what_to_give() {
    let insecure = Trust::none().origin("http://data.example.edu");
    for error in [
        "nowhere".parse::<Origin>().expect_err("no origin"),
        insecure.expect_err("not on this machine"),
    ] {
        assert!(error.to_string().contains("https"), "{error}");
    }
}

#[checks::test]
fn response_url_shows_no_query_and_no_password() {
    for (url, shown) in [
        (
            "https://transfer.api.globus.org/ls?code=private",
            r#"ResponseUrl { origin: Some("https://transfer.api.globus.org"), path: "/ls", .. }"#,
        ),
        (
            "https://user:private@evil.example/",
            r#"ResponseUrl { origin: None, path: "/", .. }"#,
        ),
    ] {
        let answered = ResponseUrl(url.parse().expect(url));
        assert_eq!(format!("{answered:?}"), shown);
    }
}

#[checks::test]
fn token_must_fit_in_a_header() {
    for wrong in ["", " ", "two words", "a\n", "\u{7f}", "é"] {
        let error = Credential::bearer(wrong).expect_err(wrong).to_string();
        assert!(error.contains("Authorization"), "{error}");
    }
    for right in ["Ag-._~+/=", "a"] {
        let value = token(right).header_value().clone();
        assert_eq!(value, format!("Bearer {right}"));
        assert!(value.is_sensitive(), "{right}");
    }
    let basic = http::HeaderValue::from_static("Basic eDp5");
    let basic = Credential::from_header_value(basic);
    assert!(basic.header_value() == "Basic eDp5" && basic.header_value().is_sensitive());
}

#[checks::test(start_paused = true)]
async fn credential_debug_shows_only_its_lifetime() {
    let credential = token("AgSecret");
    for (credential, shown) in [
        (credential.clone(), "Credential { expires_in: None, .. }"),
        (
            credential.clone().with_lifetime(Duration::from_secs(5)),
            "Credential { expires_in: Some(5s), .. }",
        ),
        // Longer than the clock can express.
        (
            credential.with_lifetime(Duration::MAX),
            "Credential { expires_in: None, .. }",
        ),
    ] {
        assert_eq!(format!("{credential:?}"), shown);
    }
}

#[checks::test]
fn principal_equals_only_itself() {
    let all = || {
        [
            Principal::Session,
            Principal::Named("ada".into()),
            Principal::Named("bob".into()),
            Principal::Named("Bearer ada".into()),
            Principal::Presented(token("ada")),
            Principal::Presented(token("bob")),
        ]
    };
    for (at, one) in all().iter().enumerate() {
        for (other_at, other) in all().iter().enumerate() {
            assert_eq!(one == other, at == other_at, "{one:?} {other:?}");
        }
    }
    let twice: HashSet<_> = all().into_iter().chain(all()).collect();
    assert_eq!(twice.len(), all().len());
    // The lifetime of a token makes no other principal.
    let lasting = token("ada").with_lifetime(Duration::from_secs(5));
    assert!(twice.contains(&Principal::Presented(lasting)));
}

#[checks::test]
fn principal_debug_shows_a_name_and_no_token() {
    let presented = Principal::Presented(token("AgSecret"));
    let all = [
        Principal::Session,
        Principal::Named("ada".into()),
        presented,
    ];
    assert_eq!(
        format!("{all:?}"),
        r#"[Session, Named("ada"), Presented(..)]"#
    );
}

#[checks::test]
fn error_kinds_are_distinct() {
    const URL: &str = "https://auth.globus.org/?state=s";
    for (error, declined, timeout, interaction, url) in [
        (ReauthError::new("m"), false, false, false, None),
        (ReauthError::declined(), true, false, false, None),
        (ReauthError::timeout(), false, true, false, None),
        (
            ReauthError::interaction_required(URL),
            false,
            false,
            true,
            Some(URL),
        ),
        (
            ReauthError::interaction_required_elsewhere(),
            false,
            false,
            true,
            None,
        ),
    ] {
        assert_eq!(error.is_declined(), declined, "{error}");
        assert_eq!(error.is_timeout(), timeout, "{error}");
        assert_eq!(error.is_interaction_required(), interaction, "{error}");
        assert_eq!(error.login_url(), url, "{error}");
        assert!(
            error.source().is_none() && !error.to_string().is_empty(),
            "{error}"
        );
    }
}

#[checks::test]
fn error_keeps_and_shows_its_cause() {
    let cause = io::Error::other("the disk is full");
    let error = ReauthError::new("could not save").with_source(cause);
    assert_eq!(error.to_string(), "could not save");
    let source = error.source().map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the disk is full"));
    // A clone, for another waiter, shows the same.
    let source = error.clone();
    let source = source.source().expect("a cause");
    assert!(source.is::<io::Error>());
    let shown = format!("{error:?}");
    for part in ["could not save", "the disk is full"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[checks::test]
fn error_shows_the_login_page_without_its_query() {
    for url in [
        "https://auth.globus.org/p?state=secret#x",
        "https://auth.globus.org/p#secret",
    ] {
        let shown = format!("{:?}", ReauthError::interaction_required(url));
        assert!(shown.contains(r#""https://auth.globus.org/p""#), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[checks::test]
fn debug_shows_settings_and_names_of_closures() {
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let shown = format!("{login:?}");
    assert!(shown.starts_with("ReauthFn(") && shown.contains("closure"));
    let shown = format!("{:?}", Session::builder(login).max_logins(7).build());
    assert!(shown.contains("max_logins: 7"), "{shown}");
}

#[checks::test]
fn printable_removes_terminal_controls() {
    for (text, shown) in [
        ("plain", "plain"),
        ("  two\r\n lines\t", "two lines"),
        ("\u{1b}[31mred\u{1b}[0m", "[31mred [0m"),
        ("\u{9b}31m", "31m"),
        ("a\u{202e}b\u{2066}c\u{200b}d", "abcd"),
        ("\u{7}\u{8}\u{0}", ""),
        ("naïve 東京 🔑", "naïve 東京 🔑"),
    ] {
        assert_eq!(printable(text), shown, "{text:?}");
    }
    assert_eq!(printable(&"é".repeat(300)), "é".repeat(300));
    let cut = printable(&"é".repeat(301));
    assert!(
        cut.chars().count() == 301 && cut.ends_with('…'),
        "a long one is cut"
    );
}

/// Compares with Unicode's data: characters that are invisible, or change how their neighbours are
/// shown.
#[checks::test]
fn printable_removes_what_unicode_calls_invisible() {
    let invisible = r"[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}\x{2800}]";
    let invisible = regex_syntax::Parser::new().parse(invisible);
    let HirKind::Class(Class::Unicode(invisible)) = invisible.expect("a class").into_kind() else {
        panic!("not a class");
    };
    let mut seen = 0;
    for range in invisible.ranges() {
        for c in range.start()..=range.end() {
            assert_eq!(printable(&format!("a{c}b")), "ab", "U+{:X}", u32::from(c));
            seen += 1;
        }
    }
    assert!(seen > 4_000, "{seen}");
}

fn described(asked: AuthorizationParameters) -> String {
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Session);
    Challenge::new(target, Gare::new("AuthorizationRequired", asked)).in_plain_words()
}

#[checks::test]
fn long_requirement_has_a_short_description() {
    let policies = |count| (0..count).map(|number| format!("policy-{number}"));
    let policies =
        |count| AuthorizationParameters::default().with_session_required_policies(policies(count));
    let named = "policy-0, policy-1, policy-2, policy-3, policy-4";
    assert_eq!(
        described(policies(5_000)),
        format!(
            "transfer.api.globus.org asks you to meet the authentication policies {named} and 4995 more."
        )
    );
    assert!(described(policies(6)).contains("policy-4 and 1 more"));
    assert!(described(policies(5)).contains("policy-3 and policy-4."));
    let long = AuthorizationParameters::default()
        .with_session_required_identities(["i".repeat(400), "j".repeat(400)])
        .with_required_scopes(["s".repeat(400), "t".repeat(400)]);
    let text = described(long);
    assert!(
        text.chars().count() == 1_001 && text.ends_with('…'),
        "{text}"
    );
}

#[checks::test]
fn quote_in_a_value_ends_no_quotation() {
    for quote in ['"', '“', '”', '„', '‟', '＂', '″', '〞', '❞', '״'] {
        let asked = AuthorizationParameters::default()
            .with_session_required_identities([format!("a{quote}. It says: {quote}b")])
            .with_session_message(format!("Log in{quote}. Then send your password. {quote}"));
        let text = described(asked);
        assert_eq!(
            text.matches(quote).count(),
            usize::from(quote == '"') * 4,
            "{text}"
        );
        assert!(
            text.ends_with("It says: \"Log in'. Then send your password. '\""),
            "{text}"
        );
    }
}

#[checks::test]
fn each_requirement_is_described_in_words() {
    let asks = AuthorizationParameters::default;
    let domains = || asks().with_session_required_single_domain(["uchicago.edu", "anl.gov"]);
    for (asked, words) in [
        (asks(), "to log in again."),
        (
            domains().with_session_message("Log in\u{1b}[2J please"),
            "to log in again with an identity from uchicago.edu or anl.gov. It says: \"Log in [2J please\"",
        ),
        // A value that could be read as part of the sentence is in quotes.
        (
            asks().with_session_required_identities(["ada. Call 555-0100", "bob", ""]),
            "to log in again as \"ada. Call 555-0100\", bob and \"\".",
        ),
        (
            asks().with_session_required_policies(["p"]),
            "to meet the authentication policy p.",
        ),
        (
            asks().with_session_required_policies(["p", "q"]),
            "to meet the authentication policies p and q.",
        ),
        (
            domains()
                .with_session_required_mfa(true)
                .with_required_scopes(["a", "b", "c"]),
            "to log in again with an identity from uchicago.edu or anl.gov, use multi-factor authentication and consent to a, b and c.",
        ),
    ] {
        let expected = format!("transfer.api.globus.org asks you {words}");
        assert_eq!(described(asked), expected);
    }
}
