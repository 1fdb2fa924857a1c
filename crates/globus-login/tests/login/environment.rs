//! Environment variables: the URLs of Globus, the path of the token file, the browser.

use std::time::Duration;

use globus_gare::Environment;
use globus_login::{GlobusApp, Interactive, JsonStore};

use crate::support::endpoint::{CLIENT, Endpoint};
use crate::support::program::{self, Program};
use crate::support::*;

const ENVIRONMENT: &str = "GLOBUS_SDK_ENVIRONMENT";
const AUTH_URL: &str = "GLOBUS_SDK_SERVICE_URL_AUTH";

/// Runs this test as a program, with this argument and environment. Returns its report.
async fn reported(argument: &str, variables: &[(&str, &str)]) -> String {
    let mut program = Program::start(module_path!(), argument, variables);
    program.reported().await
}

#[checks::test(seconds = 600)]
async fn service_urls_are_those_of_the_sdk() {
    if let Some(service) = program::argument() {
        let url = Environment::from_env().service_url(&service);
        let url = url.unwrap_or_else(|error| error.to_string());
        return program::report(&url);
    }
    let environment = |name| (ENVIRONMENT, name);
    let (empty, preview, sandbox) = (
        environment(""),
        environment("preview"),
        environment("sandbox"),
    );
    let at = |url| (AUTH_URL, url);
    let (loopback, elsewhere) = (
        at("http://127.0.0.1:8080"),
        at("https://x.example/auth?q#f"),
    );
    let unknown = "GLOBUS_SDK_ENVIRONMENT names no environment: \"prodution\"";
    let no_url = "GLOBUS_SDK_SERVICE_URL_AUTH is not an http or https URL";
    for (service, variables, expected) in [
        ("auth", &[][..], "https://auth.globus.org/"),
        ("app", &[], "https://app.globus.org/"),
        ("transfer", &[], "https://transfer.api.globus.org/"),
        ("timer", &[], "https://timer.automate.globus.org/"),
        ("auth", &[empty], "https://auth.globus.org/"),
        ("auth", &[preview], "https://auth.preview.globus.org/"),
        (
            "transfer",
            &[sandbox],
            "https://transfer.api.sandbox.globuscs.info/",
        ),
        (
            "flows",
            &[preview],
            "https://preview.flows.automate.globus.org/",
        ),
        ("auth", &[loopback], "http://127.0.0.1:8080/"),
        ("auth", &[elsewhere, preview], "https://x.example/auth/"),
        (
            "transfer",
            &[at("http://x")],
            "https://transfer.api.globus.org/",
        ),
        ("auth", &[environment("prodution")], unknown),
        ("auth", &[at("auth.globus.org")], no_url),
    ] {
        let url = reported(service, variables).await;
        assert_eq!(url, expected, "{service} {variables:?}");
    }
}

#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn each_environment_has_its_own_token_file() {
    if let Some(name) = program::argument() {
        let store = JsonStore::for_app("client", &name).expect("a place");
        return program::report(&store.path().display().to_string());
    }
    for (environment, file) in [
        (None, "tokens.json"),
        (Some(""), "tokens.json"),
        (Some("production"), "tokens.json"),
        (Some("preview"), "preview-tokens.json"),
    ] {
        let mut variables = vec![("HOME", "/home/ada")];
        variables.extend(environment.map(|name| (ENVIRONMENT, name)));
        let path = reported("My App", &variables).await;
        let expected = format!("/home/ada/.globus/app/client/my-app/{file}");
        assert_eq!(path, expected, "{environment:?}");
    }
}

/// The environment of the builder counts, not the one of the process.
#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn token_file_is_that_of_the_apps_environment() {
    if let Some(name) = program::argument() {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().app_name("My App");
        let app = app.environment(Environment::from_variables([(ENVIRONMENT, name)]));
        app.build().expect("an app").login().await.expect("a login");
        return program::report("logged in");
    }
    let home = tempfile::tempdir().expect("a directory");
    let variables = [
        ("HOME", home.path().to_str().expect("text")),
        (ENVIRONMENT, "sandbox"),
    ];
    let directory = format!(".globus/app/{CLIENT}/my-app");
    for (environment, file) in [
        ("production", "tokens.json"),
        ("preview", "preview-tokens.json"),
    ] {
        assert_eq!(reported(environment, &variables).await, "logged in");
        let path = home.path().join(&directory).join(file);
        assert!(path.exists(), "{environment}");
        std::fs::remove_file(path).expect("the file");
    }
}

/// The program has neither a terminal nor a browser.
#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn error_says_why_no_browser_opens() {
    const UNWANTED: &str = "no browser";
    const NO_PORT: &str = "no port";
    if let Some(what) = program::argument() {
        let prompt = Interactive::new().browser(what != UNWANTED);
        let app = GlobusApp::user(CLIENT).prompt(prompt).build();
        let app = app.expect("an app");
        if what == NO_PORT {
            open_no_more_files();
        }
        let error = app.login().await;
        let error = error.expect_err("nobody to ask");
        assert!(error.is_interaction_required(), "{error:?}");
        return program::report(&logged(&error));
    }
    let (remote, hidden) = ("this is an SSH session", "there is no display");
    // The program tries a browser that does not exist.
    let tried = "the browser could not be started: ";
    for (variables, reason) in [
        (&[][..], hidden),
        (&[("DISPLAY", "")], hidden),
        (&[("DISPLAY", ":0")], tried),
        (&[("WAYLAND_DISPLAY", "wayland-0")], tried),
        (&[("WSL_DISTRO_NAME", "Debian")], tried),
        (&[("SSH_TTY", "/dev/pts/1"), ("DISPLAY", ":10")], remote),
        (&[("SSH_CONNECTION", "1 2 3 4")], remote),
        (&[("SSH_CLIENT", "1 2 3")], remote),
        (
            &[
                ("SSH_CONNECTION", "1 2 3 4"),
                ("BROWSER", "/no/such/browser.sh"),
            ],
            tried,
        ),
        (&[("BROWSER", "no-such-browser")], tried),
        (&[("BROWSER", "no-such-browser:lynx")], tried),
        (
            &[("BROWSER", "lynx"), ("DISPLAY", ":0")],
            "lynx is a text browser",
        ),
        (
            &[("BROWSER", "/usr/bin/w3m -T %s:firefox")],
            "w3m is a text browser",
        ),
        (&[("BROWSER", ":elinks")], "elinks is a text browser"),
    ] {
        let told = reported("", variables).await;
        let expected = format!("no browser opens here ({reason}");
        assert!(told.contains(&expected), "{variables:?}: {told}");
        assert!(
            told.contains("run the program once in a terminal"),
            "{told}"
        );
    }
    let display = [("DISPLAY", ":0")];
    for (what, reason) in [
        (UNWANTED, "the program does not use one"),
        (NO_PORT, "no port could be opened for its redirect: "),
    ] {
        let told = reported(what, &display).await;
        assert!(told.contains(&format!("({reason}")), "{told}");
    }
}

#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn longest_timeout_is_accepted() {
    if program::argument().is_some() {
        let prompt = Interactive::new().browser(false).timeout(Duration::MAX);
        let app = GlobusApp::user(CLIENT).prompt(prompt).build();
        let error = app.expect("an app").login().await;
        return program::report(&logged(&error.expect_err("nobody to ask")));
    }
    let told = reported("", &[]).await;
    assert!(told.contains("the program does not use one"), "{told}");
}

/// Forbids this program to open files and ports.
#[cfg(target_os = "linux")]
fn open_no_more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Nofile)
    };
    setrlimit(Resource::Nofile, limit).expect("a limit");
}
