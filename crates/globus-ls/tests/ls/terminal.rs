//! Names and logins on a real terminal.

use std::fs;
use std::io::Write;
use std::time::Duration;

use checks::browser::{client, parameter, sent_to, visit};
use checks::launcher::Launcher;
use checks::sample::assert_no_violation;
use checks::site::*;
use tokio::process::Command;

use crate::support::screen::Screen;
use crate::support::*;

/// Logs in at the page that the program printed, and returns the code that Globus Auth shows.
async fn code_for(shown: &str) -> String {
    let mut words = shown.split_whitespace();
    let page = words.find(|word| word.contains("/v2/oauth2/authorize?"));
    let redirect = sent_to(page.expect("a page")).await;
    parameter(&redirect, "code").expect("a code")
}

/// Starts the program with a token that the collection challenges; waits until it asks for a code.
async fn start_challenged(site: &Site, more: &[&str]) -> Screen {
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let arguments = [&site.collection, "--client-id", &client];
    let mut command = site.with_token(&[&arguments, more].concat());
    let mut screen = Screen::start(&mut command);
    screen.wait_for("to decline: ").await;
    screen
}

#[checks::test(seconds = 600)]
async fn pasted_code_satisfies_the_requirement() {
    let site = Site::new(PROGRAM).await;
    let mut screen = start_challenged(&site, &[]).await;
    let shown = screen.shown.clone();
    assert!(shown.contains("asks you to log in again"), "{shown}");
    screen.enter(code_for(&shown).await);
    let shown = screen.ended(0).await;
    assert!(
        shown.contains("README.txt  \u{1b}[1;34mfigures\u{1b}[0m/  measurements.csv\r\n"),
        "{shown:?}"
    );
    assert_eq!(site.globus.counts().code_grants, 1);
}

#[checks::test(seconds = 600)]
async fn empty_line_declines_the_first_login() {
    let site = Site::new(PROGRAM).await;
    let client = site.globus.client_id().to_string();
    for (pastes, code) in [(false, 4), (true, 0)] {
        let mut command = site.with_token(&[&site.collection, "--client-id", &client]);
        command
            .env_remove("GLOBUS_ACCESS_TOKEN")
            .env("NO_COLOR", "1");
        let mut screen = Screen::start(&mut command);
        let shown = screen.wait_for("to decline: ").await;
        let line = match pastes {
            true => code_for(&shown).await,
            false => String::new(),
        };
        screen.enter(line);
        let shown = screen.ended(code).await;
        assert_eq!(
            (shown.contains("README.txt"), shown.contains("declined")),
            (code == 0, code == 4),
            "{shown:?}"
        );
        assert!(
            !shown.contains("[34m") && !shown.contains("[31m"),
            "colours in spite of NO_COLOR: {shown:?}"
        );
    }
}

#[checks::test(seconds = 600)]
async fn fifth_wrong_code_exits_with_4_and_one_line() {
    let site = Site::new(PROGRAM).await;
    let mut screen = start_challenged(&site, &["--color", "never"]).await;
    for _ in 0..5 {
        screen.enter("wr0ng");
        screen.shown.clear();
        screen.wait_for("not accept").await;
    }
    let shown = screen.ended(4).await;
    let line = shown.split("globus-ls: ").nth(1).expect("an error");
    assert!(
        line.contains("did not accept the code") && !shown.contains("wr0ng: "),
        "{shown:?}"
    );
    assert_eq!(line.lines().count(), 1, "{shown:?}");
}

#[checks::test(seconds = 600)]
async fn hostile_name_is_masked_on_a_terminal_only() {
    let site = Site::new(PROGRAM).await;
    let name = "evil\u{1b}[2J\u{202e}\nname";
    fs::write(site.directory.path().join(name), "").expect("a file");
    let mut command = site.with_token(&[&site.collection, "-1", "--color", "never"]);
    let shown = Screen::start(&mut command).ended(0).await;
    assert!(shown.contains("evil?[2J??name\r\n"), "{shown:?}");
    let ran = run(site.with_token(&[&site.collection])).await;
    assert!(ran.stdout.contains(&format!("{name}\n")), "{}", ran.stdout);
}

/// Starts the program on a desktop; waits until it has opened a page and shows the time left.
async fn start_on_desktop(site: &Site, launcher: &mut Launcher) -> (Screen, String) {
    let mut command = site.with_client(&[&site.collection]);
    command
        .env("BROWSER", launcher.program())
        .env("NO_COLOR", "1");
    let mut screen = Screen::start(&mut command);
    let page = launcher.page().await;
    screen
        .wait_for("Waiting for the browser, or a code (")
        .await;
    screen.wait_for(" left) ").await;
    (screen, page)
}

#[checks::test(seconds = 600)]
async fn browser_and_pasted_code_race() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    for way in ["browser", "browser after end of input", "code", "address"] {
        let (mut screen, page) = start_on_desktop(&site, &mut launcher).await;
        let shown = screen.shown.clone();
        match way {
            "browser" | "browser after end of input" => {
                if way == "browser after end of input" {
                    screen.keyboard.write_all(b"\x04").expect("typed");
                }
                assert!(visit(page).await.contains("You are logged in"));
            }
            // An empty line and the address of another login do not end the login.
            "code" => {
                screen.enter("\nhttp://127.0.0.1:1/?code=x&state=y");
                screen.wait_for("does not belong to this login").await;
                screen.enter(code_for(&shown).await);
            }
            // A browser on another machine cannot load the redirect, but shows its address.
            _ => screen.enter(sent_to(sent_to(page).await).await),
        }
        let shown = screen.ended(0).await;
        assert!(shown.contains("README.txt"), "{way}: {shown:?}");
        let ran = run(site.with_client(&["logout"])).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn wrong_paste_is_asked_for_again() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    for ending in ["browser", "code"] {
        let (mut screen, page) = start_on_desktop(&site, &mut launcher).await;
        let shown = screen.shown.clone();
        let login_page = shown
            .split_whitespace()
            .find(|word| word.contains("/authorize?"));
        for (pasted, told) in [
            ("wr0ng", "does not accept this code"),
            (login_page.expect("a page"), "the address of the login page"),
            ("code=c0de&state=other", "belongs to another login"),
            ("ls -l", "This is not a code"),
        ] {
            screen.shown.clear();
            screen.enter(pasted);
            screen.wait_for(told).await;
        }
        if ending == "browser" {
            screen.enter("wr0ng");
            let shown = visit(page).await;
            assert!(shown.contains("You are logged in"), "{shown}");
        } else {
            screen.enter(code_for(&shown).await);
        }
        assert!(screen.ended(0).await.contains("README.txt"), "{ending}");
        run(site.with_client(&["logout"])).await;
    }
}

#[checks::test(seconds = 600)]
async fn code_is_found_in_the_pasted_text() {
    let site = Site::new(PROGRAM).await;
    for paste in [
        "\"CODE\"",
        "code=CODE",
        "<code=CODE&state=STATE>",
        "URL",
        "‘URL’",
        "HOST",
    ] {
        let mut command = site.with_client(&[&site.collection]);
        command.env("SSH_CONNECTION", "::1 1 ::1 22");
        let mut screen = Screen::start(&mut command);
        let shown = screen.wait_for("to decline: ").await;
        let mut words = shown.split_whitespace();
        let page = words.find(|word| word.contains("/v2/oauth2/authorize?"));
        let redirect = sent_to(page.expect("a page")).await;
        let found = |name| parameter(&redirect, name).expect("a parameter");
        let paste = paste
            .replace("CODE", &found("code"))
            .replace("STATE", &found("state"))
            .replace("URL", redirect.as_str())
            .replace("HOST", redirect.as_str().trim_start_matches("http://"));
        screen.enter(&paste);
        let shown = screen.ended(0).await;
        assert!(shown.contains("README.txt"), "{paste}: {shown}");
        run(site.with_client(&["logout"])).await;
    }
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn ssh_session_asks_for_a_pasted_code() {
    let site = Site::new(PROGRAM).await;
    let mut command = site.with_client(&[&site.collection]);
    command
        .env("SSH_CONNECTION", "::1 1 ::1 22")
        .env("NO_COLOR", "1");
    let mut screen = Screen::start(&mut command);
    let shown = screen.wait_for("to decline: ").await;
    assert!(shown.contains("this is an SSH session"), "{shown}");
    screen.enter(code_for(&shown).await);
    assert!(screen.ended(0).await.contains("README.txt"));
}

/// The screen, with `PAGE` instead of the address of the page, and without the time left.
fn seen(screen: &Screen) -> String {
    let text = screen.seen().contents();
    let lines = text.lines().map(|line| match line.trim() {
        page if page.contains("/v2/oauth2/authorize?") => "  PAGE",
        // A typed line may follow the time left.
        line => match line.split_once(" (") {
            Some((before, left)) if left.contains(" left)") => before,
            _ => line,
        },
    });
    let lines: Vec<_> = lines.map(str::trim_end).collect();
    // Any frame of the spinner.
    lines
        .join("\n")
        .replace(|c: char| ('⠁'..='⣿').contains(&c), "*")
}

#[checks::test(seconds = 600)]
async fn terminal_shows_what_to_do() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (mut screen, page) = start_on_desktop(&site, &mut launcher).await;
    insta::assert_snapshot!(seen(&screen), @r"
    Your browser opens for the login. If it does not, log in at

      PAGE

    and paste the code that the page shows.
    * Waiting for the browser, or a code
    ");
    screen.enter("two words");
    screen.wait_for("or paste the code.").await;
    screen.shown.clear();
    screen.wait_for(" left)").await;
    insta::assert_snapshot!(seen(&screen), @r"
    Your browser opens for the login. If it does not, log in at

      PAGE

    and paste the code that the page shows.
    * Waiting for the browser, or a code
    This is not a code.
    Finish the login in the browser, or paste the code.
    * Waiting for the browser, or a code
    ");
    visit(page).await;
    screen.ended(0).await;
    insta::assert_snapshot!(seen(&screen), @r"
    Your browser opens for the login. If it does not, log in at

      PAGE

    and paste the code that the page shows.
    * Waiting for the browser, or a code
    This is not a code.
    Finish the login in the browser, or paste the code.
    You are logged in as ada@uchicago.edu.
    README.txt  figures/  measurements.csv
    ");
}

#[checks::test(seconds = 600)]
async fn interrupt_restores_the_terminal() {
    use rustix::termios::{LocalModes, Termios, tcgetattr};

    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let (mut screen, page) = start_on_desktop(&site, &mut launcher).await;
    let during = tcgetattr(&screen.keyboard).expect("a terminal");
    screen.interrupt();
    let shown = screen.ended(130).await;
    let after = tcgetattr(&screen.keyboard).expect("a terminal");
    let modes = |settings: &Termios| {
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
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
    let seen = screen.seen();
    assert!(!seen.hide_cursor(), "{shown:?}");
    // The spinner is removed: the prompt of the shell gets an empty line.
    let (row, column) = seen.cursor_position();
    let line = seen.rows(0, 1000).nth(row.into()).expect("a line");
    assert_eq!((column, line.trim()), (0, ""), "{shown:?}");
    // The loopback server has stopped.
    client().get(page).send().await.expect_err("gone");
}

/// `program`, which gets `command` as its last arguments, in the environment of `command`.
fn run_by(program: &str, arguments: &[&str], command: &Command) -> Command {
    let command = command.as_std();
    let mut whole = checks::site::command(program, arguments);
    whole.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            whole.env(name, value);
        }
    }
    whole
}

#[checks::test(seconds = 600)]
async fn excess_input_does_not_reach_the_shell() {
    let site = Site::new(PROGRAM).await;
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let listing = site.with_token(&[&site.collection, "--client-id", &client]);
    let script = "\"$0\" \"$@\"; echo ready; read -r line; echo \"shell: $line\"";
    let mut screen = Screen::start(&mut run_by("sh", &["-c", script], &listing));
    let shown = screen.wait_for("to decline: ").await;
    let code = code_for(&shown).await;
    // The second line is not part of the code.
    screen.enter(format!("{code}\nrm important"));
    screen.wait_for("ready\r\n").await;
    screen.enter("typed for the shell");
    let shown = screen.wait_for("shell: ").await;
    let shown = shown + &screen.ended(0).await;
    assert!(shown.contains("shell: typed for the shell"), "{shown}");
}

#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn login_in_the_background_is_not_stopped() {
    let site = Site::new(PROGRAM).await;
    let mut launcher = Launcher::new();
    let mut listing = site.with_client(&[&site.collection]);
    listing.env("BROWSER", launcher.program());
    // Without a terminal of its own, the shell has no jobs in the background.
    let script = "set -m; \"$0\" \"$@\" >/dev/null & wait $!; echo \"ended with $?\"";
    let shell = ["--ctty", "sh", "-c", script];
    let mut screen = Screen::start(&mut run_by("setsid", &shell, &listing));
    visit(launcher.page().await).await;
    screen.wait_for("ended with 0").await;
    screen.ended(0).await;
}
