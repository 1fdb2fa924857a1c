//! Names and logins at a real terminal.

use std::fs;
use std::io::Write;
use std::time::Duration;

use reqwest::redirect::Policy;

use checks::launcher::Launcher;
use checks::site::*;

use crate::support::screen::Screen;
use crate::support::*;

/// Where a login page sends the browser.
async fn sent_to(page: &str) -> url::Url {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let page = client.get(page).send().await.expect("a page");
    let location = page.headers()["location"].to_str().expect("a location");
    url::Url::parse(location).expect("a URL")
}

/// The code that Globus Auth shows on the page at the end of the first login that the screen tells of.
async fn code_for(shown: &str) -> String {
    let url = shown
        .split_whitespace()
        .find(|word| word.contains("/v2/oauth2/authorize?"))
        .expect("a URL");
    let location = sent_to(url).await;
    let mut pairs = location.query_pairs();
    pairs
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1
        .into_owned()
}

#[checks::test(seconds = 600)]
async fn pasted_code_satisfies_the_requirement() {
    let site = Site::new(PROGRAM).await;
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let mut command = site.ls(&[&site.collection, "--client-id", &client]);
    let (mut screen, mut child) = Screen::start(&mut command);
    let shown = screen.wait_for("to decline): ").await;
    assert!(shown.contains("asks you to log in again"), "{shown}");
    writeln!(screen.keyboard, "{}", code_for(&shown).await).expect("typed");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    let shown = screen.wait_for_end().await;
    assert!(
        shown.contains("README.txt\r\n\u{1b}[1m\u{1b}[34mfigures\u{1b}[0m/\r\n"),
        "{shown:?}"
    );
    assert_eq!(site.globus.counts().code_grants, 1);
}

#[checks::test(seconds = 600)]
async fn empty_line_declines_the_first_login() {
    let site = Site::new(PROGRAM).await;
    let client = site.globus.client_id().to_string();
    for (typed, code) in [(None, 4), (Some(()), 0)] {
        let mut command = site.ls(&[&site.collection, "--client-id", &client]);
        command
            .env_remove("GLOBUS_ACCESS_TOKEN")
            .env("NO_COLOR", "1");
        let (mut screen, mut child) = Screen::start(&mut command);
        let shown = screen.wait_for("to decline): ").await;
        let line = if typed.is_some() {
            code_for(&shown).await
        } else {
            String::new()
        };
        writeln!(screen.keyboard, "{line}").expect("typed");
        assert_eq!(child.wait().await.expect("it ends").code(), Some(code));
        let shown = screen.wait_for_end().await;
        assert_eq!(
            (shown.contains("README.txt"), shown.contains("declined")),
            (code == 0, code == 4),
            "{shown:?}"
        );
        assert!(
            !shown.contains("[34m") && !shown.contains("[31m"),
            "NO_COLOR, and still {shown:?}"
        );
    }
}

#[checks::test(seconds = 600)]
async fn wrong_code_exits_with_4_and_one_line() {
    let site = Site::new(PROGRAM).await;
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let mut command = site.ls(&[&site.collection, "--client-id", &client]);
    let (mut screen, mut child) = Screen::start(command.env("NO_COLOR", "1"));
    screen.wait_for("to decline): ").await;
    writeln!(screen.keyboard, "wr0ng").expect("typed");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(4));
    let shown = screen.wait_for_end().await;
    let line = shown.split("globus-ls: ").nth(1).expect("a complaint");
    assert!(
        line.contains("did not accept the code") && !line.contains("wr0ng"),
        "{shown:?}"
    );
    assert_eq!(line.lines().count(), 1, "{shown:?}");
}

#[checks::test(seconds = 600)]
async fn hostile_name_is_masked_on_a_terminal_only() {
    let site = Site::new(PROGRAM).await;
    let name = "evil\u{1b}[2J\u{202e}\nname";
    fs::write(site.directory.path().join(name), "").expect("a file");
    let mut command = site.ls(&[&site.collection, "--color", "never"]);
    let (mut screen, mut child) = Screen::start(&mut command);
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    let shown = screen.wait_for_end().await;
    assert!(shown.contains("evil?[2J??name\r\n"), "{shown:?}");
    let ran = run(site.ls(&[&site.collection])).await;
    assert!(ran.stdout.contains(&format!("{name}\n")), "{}", ran.stdout);
}

/// The program at a terminal with a browser, and the page that it opened there.
async fn at_a_desk(
    site: &Site,
    launcher: &mut Launcher,
) -> (Screen, tokio::process::Child, String) {
    let mut command = site.daily(&[&site.collection]);
    command
        .env("BROWSER", launcher.program())
        .env("NO_COLOR", "1");
    let (mut screen, child) = Screen::start(&mut command);
    let page = launcher.page().await;
    // The time that is left, within its first minute.
    screen
        .wait_for("Waiting for the browser, or a code (9:")
        .await;
    (screen, child, page)
}

#[checks::test(seconds = 600)]
async fn browser_and_pasted_code_race() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    for way in ["browser", "browser at last", "code", "address"] {
        let (mut screen, mut child, page) = at_a_desk(&site, &mut launcher).await;
        let shown = screen.shown.clone();
        match way {
            "browser" | "browser at last" => {
                if way == "browser at last" {
                    // The end of what is typed, which is up to the browser then.
                    screen.keyboard.write_all(b"\x04").expect("typed");
                }
                let client = reqwest::Client::builder()
                    .no_proxy()
                    .build()
                    .expect("a client");
                let page = client.get(page).send().await.expect("a page").text().await;
                assert!(page.expect("a page").contains("You are logged in"));
            }
            // An empty line is a slip of the hand, and the address of another login a mistake.
            "code" => {
                writeln!(screen.keyboard, "\nhttp://127.0.0.1:1/?code=x&state=y").expect("typed");
                screen.wait_for("does not belong to this login").await;
                writeln!(screen.keyboard, "{}", code_for(&shown).await).expect("typed");
            }
            // A browser elsewhere cannot reach us, and still shows where it was sent.
            _ => writeln!(screen.keyboard, "{}", sent_to(&page).await).expect("typed"),
        }
        assert_eq!(
            child.wait().await.expect("it ends").code(),
            Some(0),
            "{way}"
        );
        let shown = screen.wait_for_end().await;
        assert!(shown.contains("README.txt"), "{way}: {shown:?}");
        let ran = run(site.daily(&["logout"])).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    site.saw_no_violation();
}

#[checks::test(seconds = 600)]
async fn ssh_session_asks_for_a_pasted_code() {
    let site = Site::new(PROGRAM).await;
    let mut command = site.daily(&[&site.collection]);
    command
        .env("SSH_CONNECTION", "::1 1 ::1 22")
        .env("NO_COLOR", "1");
    let (mut screen, mut child) = Screen::start(&mut command);
    let shown = screen.wait_for("to decline): ").await;
    assert!(shown.contains("this is a remote session (SSH)"), "{shown}");
    writeln!(screen.keyboard, "{}", code_for(&shown).await).expect("typed");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    assert!(screen.wait_for_end().await.contains("README.txt"));
}

#[checks::test(seconds = 600)]
async fn interrupt_restores_the_terminal() {
    use rustix::process::{Pid, Signal, kill_process};
    use rustix::termios::tcgetattr;

    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (mut screen, mut child, page) = at_a_desk(&site, &mut launcher).await;
    let during = tcgetattr(&screen.keyboard).expect("a terminal");
    let id = child
        .id()
        .and_then(|id| Pid::from_raw(id.cast_signed()))
        .expect("it runs");
    kill_process(id, Signal::INT).expect("it runs");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(130));
    let after = tcgetattr(&screen.keyboard).expect("a terminal");
    let modes = |settings: &rustix::termios::Termios| {
        (
            settings.input_modes,
            settings.output_modes,
            settings.local_modes,
        )
    };
    assert_eq!(modes(&during), modes(&after));
    assert!(
        after
            .local_modes
            .contains(rustix::termios::LocalModes::ECHO | rustix::termios::LocalModes::ICANON)
    );
    let shown = screen.wait_for_end().await;
    assert!(
        !shown.contains("\u{1b}[?25l"),
        "the cursor was hidden: {shown:?}"
    );
    // What turned is gone: the last line is empty, and the prompt of the shell begins in its first column.
    let last = shown.rsplit(['\r', '\n']).next().expect("a line");
    assert_eq!(
        last.replace("\u{1b}[2K", "").replace("\u{1b}[K", ""),
        "",
        "{shown:?}"
    );
    // Nobody listens any more.
    let location = sent_to(&page).await;
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .get(location)
        .send()
        .await
        .expect_err("gone");
}
