//! The login of Globus Compute, shared by its SDK and a Rust program.

use std::env;
use std::process::{Command, Stdio};

use checks::browser::Browser;
use checks::program::coverage;
use checks::sample::assert_no_violation;
use fake_globus::{FakeGlobus, Person};
use globus_gare::Environment;
use globus_gare::reauth::{Principal, Target};
use globus_login::GlobusApp;
use peers::python;
use tempfile::TempDir;

/// Set in the Rust program: the step to run.
const WORD: &str = "GLOBUS_GARE_TEST_PROGRAM";

const TEST: &str = "compute::login_is_shared_with_the_compute_sdk";

const REPORT: &str = "token: ";

/// The Rust program: prints its token for Globus Compute.
async fn program(word: &str) {
    let browser = Browser::redirected();
    let app = GlobusApp::for_globus_compute().expect("a place");
    let app = app.prompt(browser.clone()).build().expect("an app");
    if word == "login" {
        app.login().await.expect("a login");
    }
    let url = Environment::from_env().service_url("compute");
    let origin = url.expect("a URL").parse().expect("an origin");
    let compute = Target::new(origin, Principal::Session);
    let own = app.for_user(&Principal::Session);
    let token = own.credential(&compute).await.expect("no error");
    let token = token.map(|token| token.header_value().to_str().expect("text").to_owned());
    let token = token.unwrap_or_default();
    eprintln!("{REPORT}{}", token.trim_start_matches("Bearer "));
    if word == "logout" {
        app.logout().await.expect("told");
    }
}

struct Machine {
    globus: FakeGlobus,
    home: TempDir,
}

impl Machine {
    /// Runs a program in this environment; returns its report or its output.
    async fn run(&self, mut program: Command, client: &[(&str, &str)]) -> String {
        program
            .env("HOME", self.home.path())
            .envs(self.globus.environment())
            .envs(client.iter().copied());
        let output = tokio::task::spawn_blocking(move || program.output()).await;
        let output = output.expect("no panic").expect("the program starts");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{out}\n{err}");
        let reported = err.lines().find_map(|line| line.strip_prefix(REPORT));
        reported.unwrap_or(out.trim()).to_owned()
    }

    async fn python(&self, words: &[&str], client: &[(&str, &str)]) -> String {
        let mut script = python::script("compute_login.py");
        script.args(words);
        self.run(script, client).await
    }

    async fn rust(&self, word: &str, client: &[(&str, &str)]) -> String {
        let mut program = Command::new(env::current_exe().expect("this test"));
        program.args(["--exact", "--nocapture", TEST]);
        program.env_clear().envs(coverage());
        program.env(WORD, word).stdin(Stdio::null());
        self.run(program, client).await
    }
}

#[checks::test(seconds = 600)]
async fn login_is_shared_with_the_compute_sdk() {
    if let Ok(word) = env::var(WORD) {
        return program(&word).await;
    }
    let globus = FakeGlobus::builder().person(Person::automatic()).start();
    let machine = Machine {
        globus: globus.await.expect("a server"),
        home: tempfile::tempdir().expect("a directory"),
    };
    let globus = &machine.globus;
    let (native, confidential) = (
        globus.client_id().to_string(),
        globus.confidential_client_id().to_string(),
    );
    let person = [("GLOBUS_COMPUTE_CLIENT_ID", &*native)];
    let client = [
        ("GLOBUS_COMPUTE_CLIENT_ID", &*confidential),
        ("GLOBUS_COMPUTE_CLIENT_SECRET", globus.client_secret()),
    ];

    // Python logs in, and Rust uses its token.
    assert_eq!(machine.rust("look", &person).await, "");
    let theirs = machine.python(&["login", "token"], &person).await;
    assert!(!theirs.is_empty());
    assert_eq!(machine.rust("login", &person).await, theirs);
    assert_eq!(globus.counts().logins, 1, "Rust did not log in");

    // Rust logs in, and Python uses its token.
    machine.rust("logout", &person).await;
    let ours = machine.rust("login", &person).await;
    assert!(!ours.is_empty() && ours != theirs);
    assert_eq!(machine.python(&["token"], &person).await, ours);
    assert_eq!(globus.counts().logins, 2, "Python did not log in");

    // The confidential client has its own token. The token of the person stays.
    let of_client = machine.rust("login", &client).await;
    assert!(!of_client.is_empty() && of_client != ours);
    assert_eq!(machine.python(&["token"], &client).await, of_client);
    assert_eq!(globus.counts().client_grants, 1);
    assert_eq!(machine.rust("look", &person).await, ours);
    assert_no_violation(globus);
}
