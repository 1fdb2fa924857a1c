//! Logins in a browser, and the stored tokens.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use fake_globus::Person;
use globus_login::{GlobusApp, JsonStore};
use tokio::process::Command;

use checks::browser::{Browser, visit};
use checks::launcher::Launcher;
use checks::sample::{TRANSFER_ALL, assert_no_violation};
use checks::site::*;

use crate::support::*;

/// Runs the program with a browser that completes the login; returns the text of its last page.
pub(crate) async fn run_with_browser(
    mut command: Command,
    launcher: &mut Launcher,
) -> (Ran, String) {
    command.env("BROWSER", launcher.program());
    let browser = async { visit(launcher.page().await).await };
    tokio::join!(run(command), browser)
}

#[checks::test(seconds = 600)]
async fn browser_login_lasts_until_the_next_challenge() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (ran, shown) = run_with_browser(site.with_client(&[&site.collection]), &mut launcher).await;
    ran.assert_ended(0, LISTING);
    assert!(shown.contains("You are logged in"), "{shown}");
    // The address of the page is printed, too: the browser may not open.
    assert!(ran.stderr.contains("http://127.0.0.1:"), "{}", ran.stderr);

    let client = site.globus.client_id();
    let file = site
        .home
        .path()
        .join(format!(".globus/app/{client}/globus-ls/tokens.json"));
    let mode = fs::metadata(&file).expect("tokens").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let ran = run(site.with_client(&[&site.collection])).await;
    ran.assert_said(LISTING);

    site.globus.clock().advance(Duration::from_secs(120));
    let (ran, _) = run_with_browser(site.with_client(&[&site.collection]), &mut launcher).await;
    ran.assert_ended(0, LISTING);
    let words = ran.stderr.find("asks you to log in again").expect("words");
    assert!(
        words < ran.stderr.find("http://127.0.0.1:").expect("a page"),
        "{}",
        ran.stderr
    );
    assert_eq!(site.globus.counts().logins, 2);
    assert!(!launcher.has_opened());
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn sixteen_processes_log_in_once() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    // First without a token, then with a token whose session is too old.
    for logins in 1..=2 {
        let processes: Vec<_> = (0..16)
            .map(|_| {
                let mut command = site.with_client(&[&site.collection]);
                command.env("BROWSER", launcher.program());
                tokio::spawn(run(command))
            })
            .collect();
        visit(launcher.page().await).await;
        for process in processes {
            let ran = process.await.expect("no panic");
            ran.assert_ended(0, LISTING);
        }
        let counts = site.globus.counts();
        assert_eq!((counts.logins, counts.code_grants), (logins, logins));
        assert!(!launcher.has_opened());
        site.globus.clock().advance(Duration::from_secs(120));
    }
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn login_whoami_and_logout_report_the_account() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let ran = run(site.with_client(&["whoami"])).await;
    assert!(ran.error_line(4).contains("run 'globus-ls login'"));
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    ran.assert_ended(0, "You are logged in as ada@uchicago.edu.\n");
    // Standard output is no terminal here.
    assert!(ran.stderr.contains("ada@"), "{}", ran.stderr);
    for (arguments, said) in [
        (&["login"][..], "You are logged in as ada@uchicago.edu.\n"),
        (&["whoami"], "ada@uchicago.edu\n"),
    ] {
        let ran = run(site.with_client(arguments)).await;
        ran.assert_said(said);
    }
    let session = run(site.with_client(&["session"])).await;
    session.assert_shows(&["Identity:   ada@uchicago.edu\n", ", 0 min ago, by ", " on "]);
    for (arguments, said) in [
        (&["logout"][..], "You are logged out.\n"),
        (&["logout"], "You were not logged in.\n"),
    ] {
        let ran = run(site.with_client(arguments)).await;
        ran.assert_said(said);
    }
    for command in ["whoami", "session"] {
        assert_eq!(run(site.with_client(&[command])).await.code, 4);
    }
    assert_eq!(site.globus.counts().logins, 1);
    let mut without_client = site.with_token(&["login"]);
    without_client.env_remove("GLOBUS_CLIENT_ID");
    let ran = run(without_client).await;
    assert!(ran.error_line(2).contains("GLOBUS_CLIENT_ID"));

    let (ran, _) = run_with_browser(site.with_client(&["login", "--force"]), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = run(site.with_client(&["login", "--no-login"])).await;
    assert!(ran.error_line(2).contains("without --no-login"));
    // --no-login still uses the stored tokens.
    let ran = run(site.with_client(&["--no-login", &site.collection])).await;
    ran.assert_ended(0, LISTING);
}

#[checks::test(seconds = 600)]
async fn revoked_tokens_cost_one_login() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    for _ in 0..2 {
        let (ran, _) = run_with_browser(site.with_client(&[&site.collection]), &mut launcher).await;
        ran.assert_ended(0, LISTING);
        site.globus.revoke_all_tokens();
    }
    assert_eq!(site.globus.counts().logins, 2);
    let ran = run(site.with_client(&["--no-login", &site.collection])).await;
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let advice = "run 'globus-ls login --force'";
    assert!(
        ran.stderr.contains(advice) && !ran.stderr.contains("GLOBUS_ACCESS_TOKEN"),
        "{}",
        ran.stderr
    );
}

#[checks::test(seconds = 600)]
async fn login_declined_in_the_browser_exits_with_4() {
    let site = Site::new(PROGRAM).await;
    site.globus.set_person(Person::automatic().declines());
    let mut launcher = Launcher::new();
    let (ran, shown) = run_with_browser(site.with_client(&[&site.collection]), &mut launcher).await;
    ran.assert_ended(4, "");
    assert!(
        ran.stderr.contains("the login was declined"),
        "{}",
        ran.stderr
    );
    assert!(shown.contains("The login was declined"), "{shown}");
}

#[checks::test(seconds = 600)]
async fn error_says_why_no_login_is_possible() {
    let site = Site::new(PROGRAM).await;
    for (name, value, reason) in [
        ("SSH_CONNECTION", "::1 1 ::1 22", "an SSH session"),
        ("BROWSER", "lynx", "lynx is a text browser"),
        ("BROWSER", "/no/such/browser", "could not be started"),
        ("TERM", "xterm", "no display"),
    ] {
        let mut command = site.with_client(&[&site.collection]);
        // An empty PATH: no other program can open a page.
        command.env("PATH", "").env(name, value);
        let ran = run(command).await;
        let line = ran.error_line(4);
        assert!(
            line.contains(reason) && line.contains("run the program once in a terminal"),
            "{line}"
        );
    }
    let mut late = site.with_client(&["--login-timeout", "1", &site.collection]);
    let launcher = Launcher::new();
    late.env("BROWSER", launcher.program());
    let ran = run(late).await;
    assert!(
        ran.code == 4 && ran.stderr.contains("not finished in time"),
        "{}",
        ran.stderr
    );
}

/// `UserApp("globus-ls", client_id=...)` with a `TransferClient` requests these scopes, and no
/// refresh token.
#[checks::test(seconds = 600)]
async fn login_with_a_default_python_app_is_enough() {
    let site = Site::new(PROGRAM).await;
    let client = site.globus.client_id();
    let file = format!(".globus/app/{client}/globus-ls/tokens.json");
    let app = GlobusApp::user(client.to_string())
        .auth_url(site.globus.auth_url())
        .scopes(["openid", TRANSFER_ALL])
        .store(JsonStore::new(site.home.path().join(file)))
        .prompt(Browser::redirected());
    let app = app.build().expect("an app");
    app.login().await.expect("a login");

    let listed = run(site.with_client(&["--no-login", &site.collection])).await;
    listed.assert_said(LISTING);
    let account = app.account().await.expect("no error").expect("an account");
    for command in ["login", "whoami"] {
        let ran = run(site.with_client(&[command])).await;
        assert!(ran.stdout.contains(&account.id), "{}", ran.stderr);
    }
    assert_eq!(site.globus.counts().logins, 1);
}

#[checks::test(seconds = 600)]
async fn damaged_token_file_is_set_aside_on_request() {
    let site = Site::new(PROGRAM).await;
    let client = site.globus.client_id();
    let folder = site
        .home
        .path()
        .join(format!(".globus/app/{client}/globus-ls"));
    std::fs::create_dir_all(&folder).expect("a directory");
    let file = folder.join("tokens.json");
    let newer = r#"{"format_version": "3.0"}"#;
    for command in [&["whoami"][..], &["login"], &[&site.collection]] {
        std::fs::write(&file, newer).expect("a file");
        let ran = run(site.with_client(command)).await;
        assert_ne!(ran.code, 0);
        for said in ["tokens.json cannot be understood", "login --force"] {
            assert!(ran.stderr.contains(said), "{command:?}: {}", ran.stderr);
        }
        assert!(
            !ran.stderr.contains("run globus-ls again"),
            "{}",
            ran.stderr
        );
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), newer);
    }
    let ran = run(site.with_client(&["logout"])).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("tokens.json.damaged-"),
        "{}",
        ran.stderr
    );
    let ran = run(site.with_client(&["whoami"])).await;
    assert!(
        !ran.stderr.contains("cannot be understood"),
        "{}",
        ran.stderr
    );
}

/// `command` with Globus Auth at a closed port.
fn without_auth(mut command: Command) -> Command {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("an address");
    command.env("GLOBUS_SDK_SERVICE_URL_AUTH", format!("http://{address}"));
    command
}

#[checks::test(seconds = 600)]
async fn unreachable_auth_exits_with_1_and_advice() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = run(without_auth(site.with_client(&["whoami"]))).await;
    assert!(ran.error_line(1).contains("check the network"));
    // The stored token has expired, and cannot be refreshed.
    site.globus.clock().advance(Duration::from_secs(3 * 86_400));
    let listing = ["--no-login", &site.collection];
    let ran = run(without_auth(site.with_client(&listing))).await;
    assert!(ran.error_line(1).contains("check the network"));
    let ran = run(without_auth(site.with_client(&["logout"]))).await;
    let line = ran.error_line(1);
    assert!(
        line.contains("logged out here") && line.contains("run 'globus-ls logout' again"),
        "{line}"
    );
    let ran = run(site.with_client(&["whoami"])).await;
    assert!(ran.error_line(4).contains("nobody is logged in"));
}

#[checks::test(seconds = 600)]
async fn unusable_home_exits_with_1_and_says_so() {
    let site = Site::new(PROGRAM).await;
    let file = site.home.path().join("file");
    fs::write(&file, "").expect("a file");
    for arguments in [
        &[site.collection.as_str()][..],
        &["--no-login", &site.collection],
        &["whoami"],
    ] {
        let mut command = site.with_client(arguments);
        command.env("HOME", &file);
        let ran = run(command).await;
        let line = ran.error_line(1);
        assert!(
            line.contains("tokens.json") && line.contains("writable"),
            "{line}"
        );
    }
}

#[checks::test(seconds = 600)]
async fn login_that_globus_auth_denies_says_why() {
    let site = Site::guarded(PROGRAM, |collection| collection).await;
    site.globus.set_person(Person::automatic().declines());
    let mut launcher = Launcher::new();
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    ran.assert_ended(4, "");
    let line = ran.stderr.lines().last().unwrap_or_default();
    assert!(
        line.contains("Globus Auth says: ") && line.contains("run globus-ls again"),
        "{line}"
    );
}
