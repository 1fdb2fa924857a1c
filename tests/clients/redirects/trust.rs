//! Which origins `Trust` allows.

use std::process::Command;

use globus_gare::reauth::{Origin, Trust};

/// Globus' own services, and names that only look like theirs.
const NAMES: [(&str, bool); 26] = [
    ("https://app.globus.org/", true),
    ("https://flows.automate.globus.org/", true),
    ("https://Timer.Automate.globus.org/", true),
    // No service there needs a token,
    ("https://globus.org", false),
    ("https://www.globus.org", false),
    ("https://api.globus.org", false),
    ("https://x.transfer.api.globus.org", false),
    ("https://search.automate.globus.org/", false),
    ("https://preview.flows.automate.globus.org/", false),
    ("https://transfer.api.preview.globus.org/", false),
    // and the owner of the collection runs this one.
    ("https://g-05a4b6.2d513.8443.data.globus.org/file", false),
    ("https://transfer.api.globus.org/v0.10/", true),
    ("https://AUTH.GLOBUS.ORG:443/", true),
    ("https://Transfer.API.Globus.org/", true),
    ("https://groups.api.globus.org", true),
    ("https://globus.org.evil.example/", false),
    ("https://notglobus.org/", false),
    ("https://xglobus.org", false),
    ("https://transfer.api.globux.org/", false),
    ("http://transfer.api.globus.org/", false),
    ("https://transfer.api.globus.org:8443/", false),
    ("https://globus.org./", false),
    ("https://auth.globus.org./", false),
    ("https://xn--glbus-jua.org/", false),
    ("https://127.0.0.1/", false),
    ("http://localhost:8080/", false),
];

fn allows(trust: &Trust, url: &str) -> bool {
    trust.allows(&url.parse().unwrap_or_else(|error| panic!("{url}: {error}")))
}

#[checks::test]
fn globus_trust_names_its_services() {
    let trust = Trust::globus();
    for (url, trusted) in NAMES {
        assert_eq!(allows(&trust, url), trusted, "{url}");
        assert!(!allows(&Trust::none(), url), "{url}");
    }
}

#[checks::test]
fn url_with_a_tricky_authority_is_no_origin() {
    for url in [
        "https://globus.org@evil.example/",
        "https://transfer.api.globus.org:pw@evil.example/",
        "https://evil.example\\@globus.org/",
        "https://[globus.org@evil.example]/",
        "https://[::1]:443@evil.example/",
        // A client connects to the address, and ignores the text after it.
        "https://[2001:db8::1].globus.org/",
        "https://[2001:db8::1]globus.org:443/",
        "https://transfer.api.globus.org:99999/",
        "https://glo\u{431}us.org/",
        "ftp://globus.org/",
        "//globus.org/",
        "/v0.10/endpoint",
        "",
    ] {
        assert!(url.parse::<Origin>().is_err(), "{url}");
        assert!(Trust::globus().origin(url).is_err(), "{url}");
    }
}

#[checks::test]
fn plain_http_is_trusted_on_loopback_only() {
    assert!(Trust::none().origin("http://data.example.edu").is_err());
    assert!(Trust::none().origin("http://127.0.0.1:8080").is_ok());
    let trust = Trust::none().loopback();
    for (url, trusted) in [
        ("http://127.0.0.1:8080", true),
        ("http://127.8.9.1", true),
        ("http://[::1]:8080", true),
        ("http://localhost:1", true),
        ("https://localhost", true),
        ("http://localhost.evil.example", false),
        ("http://10.0.0.1", false),
        ("http://[::2]", false),
    ] {
        assert_eq!(allows(&trust, url), trusted, "{url}");
    }
}

#[checks::test]
fn added_origin_trusts_no_other_origin() {
    let trust = Trust::none().origin("https://Data.Example.edu:8443/some/path");
    let trust = trust.expect("an origin");
    for (url, trusted) in [
        ("https://data.example.edu:8443", true),
        ("https://DATA.example.EDU:8443/other", true),
        ("https://data.example.edu", false),
        ("https://sub.data.example.edu:8443", false),
        ("https://data.example.org:8443", false),
        ("http://data.example.edu:8443", false),
        ("https://transfer.api.globus.org", false),
    ] {
        assert_eq!(allows(&trust, url), trusted, "{url}");
    }
}

/// Set in a child process, which prints the trusted services.
const CHILD: &str = "GARE_TEST_OF_ENVIRONMENTS";

#[checks::test]
fn each_environment_has_its_own_domain() {
    const DOMAINS: [&str; 6] = [
        "globus.org",
        "preview.globus.org",
        "sandbox.globuscs.info",
        "integration.globuscs.info",
        "test.globuscs.info",
        "staging.globuscs.info",
    ];
    if std::env::var_os(CHILD).is_some() {
        let trust = Trust::globus();
        let transfer = |domain: &str| allows(&trust, &format!("https://transfer.api.{domain}"));
        let trusted = DOMAINS.map(|domain| transfer(domain).then_some(domain));
        let trusted: Vec<_> = trusted.into_iter().flatten().collect();
        println!("trusted: {trusted:?}.");
        return;
    }
    let own = std::env::current_exe().expect("a program");
    for (environment, trusted) in [
        ("", &["globus.org"][..]),
        ("production", &["globus.org"]),
        ("preview", &["preview.globus.org"]),
        ("sandbox", &["sandbox.globuscs.info"]),
        ("integration", &["integration.globuscs.info"]),
        ("test", &["test.globuscs.info"]),
        ("staging", &["staging.globuscs.info"]),
        ("elsewhere", &[]),
    ] {
        let child = Command::new(&own)
            .args([
                "--exact",
                "redirects::trust::each_environment_has_its_own_domain",
            ])
            .arg("--nocapture")
            .env(CHILD, "1")
            .env("GLOBUS_SDK_ENVIRONMENT", environment)
            .output();
        let said = child.expect("a program").stdout;
        let said = String::from_utf8_lossy(&said);
        let expected = format!("trusted: {trusted:?}.");
        assert!(said.contains(&expected), "{environment}: {said}");
    }
}
