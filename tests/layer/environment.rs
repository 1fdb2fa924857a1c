//! The Globus environment of a process, and its trust.

use std::env;
use std::process::Command;

use globus_gare::{Environment, Trust};

const NAME: &str = "GLOBUS_SDK_ENVIRONMENT";
const TRANSFER: &str = "GLOBUS_SDK_SERVICE_URL_TRANSFER";

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::from_variables(variables.iter().copied())
}

#[checks::test]
fn service_urls_are_those_of_the_python_sdk() {
    for (service, variables, expected) in [
        ("auth", &[][..], "https://auth.globus.org/"),
        ("transfer", &[], "https://transfer.api.globus.org/"),
        ("timer", &[], "https://timer.automate.globus.org/"),
        (
            "auth",
            &[(NAME, "preview")],
            "https://auth.preview.globus.org/",
        ),
        (
            "transfer",
            &[(NAME, "sandbox")],
            "https://transfer.api.sandbox.globuscs.info/",
        ),
        (
            "flows",
            &[(NAME, "preview")],
            "https://preview.flows.automate.globus.org/",
        ),
        ("auth", &[(NAME, "")], "https://auth.globus.org/"),
        (
            "transfer",
            &[(TRANSFER, "")],
            "https://transfer.api.globus.org/",
        ),
        (
            "transfer",
            &[(TRANSFER, "http://127.0.0.1:8080")],
            "http://127.0.0.1:8080/",
        ),
        (
            "transfer",
            &[(TRANSFER, "https://x.example/a//?q#f")],
            "https://x.example/a/",
        ),
        (
            "auth",
            &[(TRANSFER, "https://x.example")],
            "https://auth.globus.org/",
        ),
        // An unknown environment is an error only if its domain is needed.
        (
            "transfer",
            &[(NAME, "x"), (TRANSFER, "http://[::1]:1")],
            "http://[::1]:1/",
        ),
    ] {
        let url = environment(variables).service_url(service);
        assert_eq!(url.expect("a URL"), expected, "{service} {variables:?}");
    }
}

#[checks::test]
fn unusable_variables_are_named() {
    for (service, variable, value) in [
        ("auth", NAME, "prodution"),
        ("transfer", TRANSFER, "transfer.api.globus.org"),
        ("transfer", TRANSFER, "ftp://transfer.api.globus.org"),
        ("transfer", TRANSFER, "/v0.10"),
    ] {
        let error = environment(&[(variable, value)]).service_url(service);
        let error = error.expect_err(value).to_string();
        assert!(error.contains(variable), "{error}");
    }
    let error = Environment::default().service_url("no service");
    let error = error.expect_err("no host").to_string();
    assert!(error.contains("\"no service\""), "{error}");
}

#[checks::test]
fn each_environment_has_its_domain() {
    for (name, domain) in [
        ("", "globus.org"),
        ("production", "globus.org"),
        ("preview", "preview.globus.org"),
        ("sandbox", "sandbox.globuscs.info"),
        ("integration", "integration.globuscs.info"),
        ("test", "test.globuscs.info"),
        ("staging", "staging.globuscs.info"),
    ] {
        let url = environment(&[(NAME, name)]).service_url("auth");
        let expected = format!("https://auth.{domain}/");
        assert_eq!(url.expect("a URL"), expected, "{name}");
    }
    let elsewhere = environment(&[(NAME, "elsewhere")]);
    assert!(elsewhere.service_url("auth").is_err());
}

#[checks::test]
fn services_that_variables_name_are_trusted() {
    for (variables, origin, trusted) in [
        (
            &[(NAME, "preview")][..],
            "https://auth.preview.globus.org",
            true,
        ),
        (&[(NAME, "sandbox")], "https://auth.globus.org", false),
        (&[(NAME, "elsewhere")], "https://auth.globus.org", false),
        (&[], "https://data.example.edu", false),
        (&[], "https://x.transfer.api.globus.org", false),
        (&[], "http://transfer.api.globus.org", false),
        (&[], "https://transfer.api.globus.org:8443", false),
        (
            &[(TRANSFER, "https://data.example.edu/x")],
            "https://data.example.edu",
            true,
        ),
        (
            &[(TRANSFER, "https://data.example.edu")],
            "https://data.example.edu:8443",
            false,
        ),
        (
            &[(TRANSFER, "http://127.0.0.1:8080")],
            "http://127.0.0.1:8080",
            true,
        ),
        (
            &[(TRANSFER, "http://127.0.0.1:8080")],
            "http://127.0.0.1:8081",
            false,
        ),
        // A credential is never sent over a network unencrypted.
        (
            &[(TRANSFER, "http://data.example.edu")],
            "http://data.example.edu",
            false,
        ),
        (
            &[(TRANSFER, "nonsense")],
            "https://groups.api.globus.org",
            true,
        ),
        // With an invalid variable, the service is not trusted at its default host either.
        (
            &[(TRANSFER, "nonsense")],
            "https://transfer.api.globus.org",
            false,
        ),
    ] {
        let trust = Trust::of(&environment(variables));
        let origin = origin.parse().expect("an origin");
        assert_eq!(trust.allows(&origin), trusted, "{variables:?} {origin}");
    }
}

/// Runs itself as a child process with variables.
#[checks::test]
fn environment_of_the_process_is_read() {
    const INSIDE: &str = "GLOBUS_GARE_TEST_INSIDE";
    if env::var_os(INSIDE).is_some() {
        let read = Environment::from_env();
        assert_eq!(read, environment(&[(NAME, "preview")]));
        assert_eq!(read.name(), "preview");
        return;
    }
    let program = env::current_exe().expect("the test's program");
    let test = "environment::environment_of_the_process_is_read";
    let mut inside = Command::new(program);
    inside.args(["--exact", test]).env(INSIDE, "yes");
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("GLOBUS_SDK_") {
            inside.env_remove(name);
        }
    }
    let output = inside.env(NAME, "preview").output();
    let output = output.expect("it is started");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("1 passed"), "{printed}");
}
