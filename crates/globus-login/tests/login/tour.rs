//! The tour: each of its programs runs to its end, and the page shows the code of the programs.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use fake_globus::Person;
use http::StatusCode;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::support::program::{coverage, example};
use crate::support::*;

/// A Globus whose collection requires a login within the last minute.
struct Tour {
    sample: Sample,
    home: TempDir,
}

/// The output of a program.
struct Printed {
    output: String,
    errors: String,
}

impl Tour {
    async fn new() -> Self {
        let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
        sample.write("hello.txt", "hello");
        sample.write("world.txt", "world");
        let home = tempfile::tempdir().expect("a directory");
        Self { sample, home }
    }

    /// Lets so much time pass that all sessions are too old.
    fn wait(&self) {
        self.sample.globus.clock().advance(Duration::from_secs(120));
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(example(name));
        command
            .env_clear()
            .envs(coverage())
            .env("HOME", self.home.path())
            .envs(self.sample.globus.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs the program with the collection as its argument, repeated `times` times, while its user
    /// types `typed`.
    async fn lists(&self, mut program: Command, times: usize, typed: &str) -> Printed {
        let collection = self.sample.collection.to_string();
        program.args(vec![collection; times]);
        let mut program = program.spawn().expect("the program starts");
        let mut terminal = program.stdin.take().expect("a pipe");
        terminal.write_all(typed.as_bytes()).await.expect("typed");
        drop(terminal);
        let ended = program.wait_with_output().await.expect("the program ends");
        let [output, errors] =
            [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).expect("text"));
        assert!(ended.status.success(), "{errors}");
        Printed { output, errors }
    }

    /// The line of the collection.
    fn line(&self, rest: &str) -> String {
        format!("{}: {rest}\n", self.sample.collection)
    }
}

#[checks::test(seconds = 600)]
async fn first_program_asks_for_a_token_and_again_for_a_fresh_one() {
    let tour = Tour::new().await;
    let old = tour.sample.token();
    tour.wait();
    let typed = format!("{old}\n{}\n", tour.sample.token());
    let printed = tour.lists(tour.program("tour_1"), 1, &typed).await;
    assert_eq!(printed.output, tour.line("hello.txt world.txt"));
    let asked: Vec<_> = printed.errors.lines().collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0], "127.0.0.1 asks you to log in. Paste a token:");
    assert!(asked[1].starts_with("127.0.0.1 asks you to log in again"));
    assert_no_violation(&tour.sample.globus);
}

#[checks::test(seconds = 600)]
async fn second_program_logs_in_once_for_all_its_requests() {
    let tour = Tour::new().await;
    let old = tour.sample.token();
    tour.wait();
    let typed = format!("{old}\n{}\n", tour.sample.token());
    let printed = tour.lists(tour.program("tour_2"), 3, &typed).await;
    let lines = tour.line("hello.txt world.txt").repeat(3);
    assert_eq!(printed.output, format!("{lines}Logins: 2\n"));
    assert_eq!(printed.errors.matches("Paste a token:").count(), 2);

    let printed = tour.lists(tour.program("tour_2"), 3, "").await;
    let reasons: Vec<_> = printed.output.lines().collect();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    let declined = tour.line("the login was declined");
    for reason in &reasons[..3] {
        assert!(reason.starts_with(declined.trim_end()), "{reason}");
    }
    assert_eq!(reasons[3], "Logins: 1");
    assert_no_violation(&tour.sample.globus);
}

#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn third_program_keeps_its_login() {
    use checks::browser::visit;
    use checks::launcher::Launcher;

    let tour = Tour::new().await;
    let client_id = tour.sample.globus.client_id().to_string();
    let mut browser = Launcher::new();
    for (has_browser, logins) in [(true, 1), (false, 0), (true, 1)] {
        let mut program = tour.program("tour_3");
        program.env("GLOBUS_CLIENT_ID", &client_id);
        let printed = if has_browser {
            program.env("BROWSER", browser.program());
            let logs_in = async { visit(browser.page().await).await };
            let (printed, shown) = tokio::join!(tour.lists(program, 2, ""), logs_in);
            assert!(shown.contains("You are logged in"), "{shown}");
            printed
        } else {
            // A prompt would fail here: the user has no way to answer.
            let printed = tour.lists(program, 2, "").await;
            tour.wait();
            printed
        };
        let lines = tour.line("hello.txt world.txt").repeat(2);
        assert_eq!(
            printed.output,
            format!("{lines}Logins: {logins}\n"),
            "{}",
            printed.errors
        );
    }
    let apps = tour.home.path().join(".globus/app");
    assert!(apps.join(client_id).join("tour/tokens.json").exists());
    assert_no_violation(&tour.sample.globus);
}

#[checks::test(seconds = 600)]
async fn fourth_program_sends_its_user_to_log_in_and_back() {
    let tour = Tour::new().await;
    let globus = &tour.sample.globus;
    let mut portal = tour.program("tour_4");
    portal
        .arg("0")
        .env(
            "GLOBUS_CLIENT_ID",
            globus.confidential_client_id().to_string(),
        )
        .env("GLOBUS_CLIENT_SECRET", globus.client_secret());
    let mut portal = portal.spawn().expect("the program starts");
    let printed = BufReader::new(portal.stdout.take().expect("a pipe"));
    let line = printed.lines().next_line().await.expect("text");
    let line = line.expect("a line");
    let page = line.strip_prefix("Open ").expect("an address");
    let page = page.replace("COLLECTION", &tour.sample.collection.to_string());

    let browser = fake_globus::Browser::new();
    for logins in 1..=2 {
        // The first time, nobody has logged in. The second time, the login is too old.
        let away = browser.redirect(&page).await.expect("a redirect");
        assert!(away.as_str().starts_with(globus.auth_url()), "{away}");
        let back = browser.open(&page).await.expect("a page");
        assert_eq!((back.url.as_str(), back.status), (&*page, StatusCode::OK));
        assert_eq!(back.text, "hello.txt world.txt");
        assert_eq!(globus.counts().logins, logins);
        // Now the page opens without a login.
        let page = browser.get(&page).await.expect("a page");
        assert_eq!(page.text, "hello.txt world.txt");
        tour.wait();
    }
    // Another browser is another user, who has to log in too, but declines.
    globus.set_person(Person::automatic().declines());
    let stranger = fake_globus::Browser::new();
    let page = stranger.open(&page).await.expect("a page");
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    portal.kill().await.expect("the program runs");
    assert_no_violation(globus);
}

/// The lines of a program or of a block, without their indentation.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//!"))
}

/// The lines that a step leaves out of its program are in the program of the step before.
#[checks::test]
fn page_shows_what_is_new_in_each_program() {
    let page = include_str!("../../src/guide/tour.md");
    let blocks = page.split("```rust\n").skip(1);
    let blocks: Vec<_> = blocks
        .map(|rest| rest.split_once("```").expect("its end").0)
        .collect();
    let programs = [
        "",
        include_str!("../../examples/tour_1.rs"),
        include_str!("../../examples/tour_2.rs"),
        include_str!("../../examples/tour_3.rs"),
        include_str!("../../examples/tour_4.rs"),
    ];
    assert_eq!(blocks.len(), programs.len() - 1);
    for (block, programs) in blocks.iter().zip(programs.windows(2)) {
        let [before, program] = programs else {
            unreachable!("two")
        };
        let before: BTreeSet<_> = lines(before).collect();
        let mut shown = lines(block).peekable();
        for line in lines(program) {
            if shown.next_if_eq(&line).is_none() {
                assert!(before.contains(line), "the page has not: {line}");
            }
        }
        assert_eq!(shown.next(), None, "no program has this, here");
    }
}
