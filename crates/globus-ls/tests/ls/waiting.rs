//! Programs without a terminal that wait for a login by `globus-ls`.

use std::time::Duration;

use checks::browser::visit;
use checks::launcher::Launcher;
use checks::sample::assert_no_violation;
use checks::site::*;
use fake_globus::{Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Principal, ReauthError, Reauthenticator, Target};
use globus_login::{ElsewherePrompt, GlobusApp, JsonStore};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::login::run_with_browser;
use crate::support::*;

type Job = JoinHandle<Result<(), ReauthError>>;

/// Starts a program of the same user that waits for a login with `required`.
fn start_job(site: &Site, required: AuthorizationParameters) -> Job {
    let globus = &site.globus;
    let client = globus.client_id();
    let tokens = format!(".globus/app/{client}/globus-ls/tokens.json");
    let app = GlobusApp::user(client.to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .app_name("night run")
        .store(JsonStore::new(site.home.path().join(tokens)))
        .prompt(ElsewherePrompt::new())
        .build()
        .expect("an app");
    let transfer = globus.transfer_url().parse().expect("an origin");
    let target = Target::new(transfer, Principal::Session);
    let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", required));
    tokio::spawn(async move { app.reauthenticate(&challenge).await.map(drop) })
}

fn domain(name: &str) -> AuthorizationParameters {
    AuthorizationParameters::default().with_session_required_single_domain([name])
}

/// Waits until the `Waiting:` lines of `globus-ls session`, which ends with `code`, are as
/// expected.
async fn wait_for_session(site: &Site, code: i32, is_expected: impl Fn(&[&str]) -> bool) {
    let shown = async {
        loop {
            let ran = run(site.with_client(&["session"])).await;
            assert_eq!(ran.code, code, "{}", ran.stderr);
            let lines = ran.stdout.lines();
            let waiting: Vec<_> = lines
                .filter_map(|line| line.strip_prefix("Waiting:    "))
                .collect();
            if is_expected(&waiting) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let shown = tokio::time::timeout(Duration::from_secs(60), shown).await;
    shown.expect("the lines of `session` are as expected within 60 s");
}

async fn assert_continues(job: Job) {
    let done = tokio::time::timeout(Duration::from_secs(60), job).await;
    let done = done.expect("the job continues within 60 s");
    done.expect("no panic").expect("a credential");
}

#[checks::test(seconds = 600)]
async fn login_lets_waiting_programs_continue() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let jobs = [
        start_job(&site, domain("uchicago.edu")),
        start_job(&site, domain("uchicago.edu")),
    ];
    // Both jobs share a line.
    wait_for_session(&site, 0, |waiting| match waiting {
        [line] => {
            line.starts_with("2 programs wait, night run on ") && line.contains("uchicago.edu")
        }
        _ => false,
    })
    .await;

    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    ran.assert_ended(0, "You are logged in as ada@uchicago.edu.\n");
    assert!(ran.stderr.contains("for a login since "), "{}", ran.stderr);
    for job in jobs {
        assert_continues(job).await;
    }
    wait_for_session(&site, 0, |waiting| waiting.is_empty()).await;
    assert_eq!(site.globus.counts().logins, 2);
    assert!(!launcher.has_opened());
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn session_shows_a_program_that_waits_for_the_first_login() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let job = start_job(&site, domain("uchicago.edu"));
    wait_for_session(
        &site,
        4,
        |waiting| matches!(waiting, [line] if line.contains("night run")),
    )
    .await;
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    ran.assert_ended(0, "You are logged in as ada@uchicago.edu.\n");
    assert_continues(job).await;
    assert_eq!(site.globus.counts().logins, 1);
}

/// Interrupts the program as Ctrl-C does, and returns its exit code.
pub(crate) async fn interrupt(mut watching: tokio::process::Child) -> i32 {
    let process = watching.id().expect("the program runs").to_string();
    let kill = Command::new("kill").args(["-INT", &process]).status().await;
    assert!(kill.expect("kill runs").success());
    let ended = tokio::time::timeout(Duration::from_secs(60), watching.wait()).await;
    let ended = ended
        .expect("the program ends within 60 s")
        .expect("a status");
    ended.code().expect("an exit code")
}

/// Logs in, and starts `globus-ls login --watch`.
async fn log_in_and_watch(site: &Site, launcher: &mut Launcher) -> tokio::process::Child {
    let (ran, _) = run_with_browser(site.with_client(&["login"]), launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut watching = site.with_client(&["login", "--watch"]);
    watching.env("BROWSER", launcher.program());
    watching.stdout(std::process::Stdio::null());
    watching.stderr(std::process::Stdio::null());
    watching.spawn().expect("the program starts")
}

#[checks::test(seconds = 600)]
async fn watch_logs_in_for_each_waiting_program() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let watching = log_in_and_watch(&site, &mut launcher).await;
    for logins in 2..=3 {
        let job = start_job(&site, domain("uchicago.edu"));
        visit(launcher.page().await).await;
        assert_continues(job).await;
        assert_eq!(site.globus.counts().logins, logins);
    }
    assert_eq!(interrupt(watching).await, 130);
    assert!(!launcher.has_opened());
}

#[checks::test(seconds = 600)]
async fn watch_goes_on_after_a_declined_login() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let watching = log_in_and_watch(&site, &mut launcher).await;
    site.globus.set_person(Person::automatic().declines());
    let first = start_job(&site, domain("uchicago.edu"));
    let shown = visit(launcher.page().await).await;
    assert!(shown.contains("The login was declined"), "{shown}");

    site.globus.set_person(Person::automatic());
    let second = start_job(&site, domain("uchicago.edu"));
    visit(launcher.page().await).await;
    for job in [first, second] {
        assert_continues(job).await;
    }
    assert_eq!(interrupt(watching).await, 130);
    assert!(!launcher.has_opened());
}

#[checks::test(seconds = 600)]
async fn watch_goes_on_after_a_failed_login() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let watching = log_in_and_watch(&site, &mut launcher).await;
    let failure = r#"{"error": "invalid_grant"}"#;
    site.globus.fail_next(RequestKind::Token, 400, failure);
    let job = start_job(&site, domain("uchicago.edu"));
    // The same login is offered again.
    for _ in 0..2 {
        visit(launcher.page().await).await;
    }
    assert_continues(job).await;
    assert_eq!(interrupt(watching).await, 130);
    assert!(!launcher.has_opened());
}
