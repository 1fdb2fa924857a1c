//! Names and logins at a real terminal.

use std::fs;
use std::io::Write;
use std::time::Duration;

use reqwest::redirect::Policy;

use crate::screen::Screen;
use crate::support::*;

/// The code that Globus Auth shows on the page at the end of the first login that the screen tells of.
async fn code_for(shown: &str) -> String {
    let url = shown
        .split_whitespace()
        .find(|word| word.contains("/v2/oauth2/authorize?"))
        .expect("a URL");
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let page = client.get(url).send().await.expect("a page");
    let location = page.headers()["location"].to_str().expect("a location");
    let location = url::Url::parse(location).expect("a URL");
    location
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code")
        .1
        .into_owned()
}

#[tokio::test]
async fn a_pasted_code_answers_the_requirement() {
    let site = Site::new().await;
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let mut command = site.ls(&[&site.collection, "--client-id", &client]);
    let (mut screen, mut child) = Screen::start(&mut command);
    let shown = screen.wait_for("to decline): ").await;
    assert!(shown.contains("asks you to log in again"), "{shown}");
    writeln!(screen.keyboard, "{}", code_for(&shown).await).expect("typed");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    let shown = screen.wait_for("").await;
    assert!(
        shown.contains("README.txt\r\n\u{1b}[1m\u{1b}[34mfigures\u{1b}[0m/\r\n"),
        "{shown:?}"
    );
    assert_eq!(site.globus.counts().code_grants, 1);
}

#[tokio::test]
async fn a_login_comes_first_where_there_is_no_token_and_nothing_pasted_declines_it() {
    let site = Site::new().await;
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
        let shown = screen.wait_for("").await;
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

#[tokio::test]
async fn a_wrong_code_is_4_and_one_line() {
    let site = Site::new().await;
    site.globus.clock().advance(Duration::from_secs(120));
    let client = site.globus.client_id().to_string();
    let mut command = site.ls(&[&site.collection, "--client-id", &client]);
    let (mut screen, mut child) = Screen::start(command.env("NO_COLOR", "1"));
    screen.wait_for("to decline): ").await;
    writeln!(screen.keyboard, "wr0ng").expect("typed");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(4));
    let shown = screen.wait_for("").await;
    let line = shown.split("ls: ").nth(1).expect("a complaint");
    assert!(
        line.contains("did not accept the code") && !line.contains("wr0ng"),
        "{shown:?}"
    );
    assert_eq!(line.lines().count(), 1, "{shown:?}");
}

#[tokio::test]
async fn a_name_cannot_steer_the_terminal_and_reaches_a_pipe_unchanged() {
    let site = Site::new().await;
    let name = "evil\u{1b}[2J\u{202e}\nname";
    fs::write(site.directory.path().join(name), "").expect("a file");
    let mut command = site.ls(&[&site.collection, "--color", "never"]);
    let (mut screen, mut child) = Screen::start(&mut command);
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    let shown = screen.wait_for("").await;
    assert!(shown.contains("evil?[2J??name\r\n"), "{shown:?}");
    let ran = run(site.ls(&[&site.collection])).await;
    assert!(ran.stdout.contains(&format!("{name}\n")), "{}", ran.stdout);
}
