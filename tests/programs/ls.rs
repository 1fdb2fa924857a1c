//! `examples/ls.rs`, run as a program.

use std::io::Seek;
use std::process::Stdio;

use checks::program::example;
use checks::site::{LISTING, Ran, command, run};

async fn ls(arguments: &[&str]) -> Ran {
    run(command(example("ls"), arguments)).await
}

#[checks::test(seconds = 600)]
async fn demonstration_lists_before_and_after_a_login() {
    let ran = ls(&[]).await;
    ran.assert_ended(0, &LISTING.repeat(2));
    let told = [
        "The first listing:",
        "Two minutes pass.",
        "refused with status 502",
        "127.0.0.1 asks you to log in again",
        "A login follows (prompt=login)",
    ];
    let places = told.map(|words| ran.stderr.find(words).unwrap_or_else(|| panic!("{words}")));
    assert!(places.is_sorted(), "{}", ran.stderr);
}

#[checks::test(seconds = 600)]
async fn demonstration_uses_no_proxy() {
    let mut command = command(example("ls"), &[]);
    // Nothing listens there.
    command.env("http_proxy", "http://127.0.0.1:1");
    run(command).await.assert_ended(0, &LISTING.repeat(2));
}

/// As on a terminal: what goes to standard output, and what goes to standard error, in their order.
#[checks::test(seconds = 600)]
async fn readme_shows_what_the_demonstration_prints() {
    let mut printed = tempfile::tempfile().expect("a file");
    let both = || printed.try_clone().expect("the same file");
    let mut command = command(example("ls"), &[]);
    command.stdout(both()).stderr(both());
    let status = command.status().await.expect("it runs");
    assert!(status.success());
    printed.rewind().expect("the beginning");
    let text = std::io::read_to_string(printed).expect("text");

    let readme = include_str!("../../README.md");
    let shown = readme.split_once("$ cargo run --quiet --example ls\n");
    let (_, shown) = shown.expect("a recorded run");
    let (shown, _) = shown.split_once("```").expect("its end");
    assert_eq!(without_port(shown), without_port(&text));
}

/// The text without the first port of this machine in it, which is another one each time.
fn without_port(text: &str) -> String {
    let (before, after) = text.split_once("http://127.0.0.1:").expect("a URL");
    format!("{before}{}", after.trim_start_matches(char::is_numeric))
}

#[checks::test(seconds = 600)]
async fn wrong_use_gives_a_short_error() {
    for (arguments, says) in [
        (&["not an id"][..], "invalid character"),
        (&["a", "b", "c"], "usage: ls"),
        (
            &["6c54cade-bde5-45c1-bdea-f4bd71dba2cc"],
            "GLOBUS_CLIENT_ID",
        ),
    ] {
        let ran = ls(arguments).await;
        ran.assert_ended(1, "");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let ran = ls(&["--help"]).await;
    assert!(
        ran.code == 0 && ran.stdout.contains("usage: ls"),
        "{}",
        ran.stdout
    );
}

#[checks::test(seconds = 600)]
async fn closed_output_causes_no_panic() {
    let mut command = command(example("ls"), &[]);
    let started = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().await.expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("Broken pipe") && !told.contains("panicked"),
        "{told}"
    );
}

/// On FakeGlobus instead of the real Globus: a first login, and another one when the session is too
/// old.
#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn collection_is_listed_after_a_login_in_the_browser() {
    use checks::launcher::Launcher;
    use checks::site::Site;

    let site = Site::new(example("ls")).await;
    let mut launcher = Launcher::new();
    for path in [&[][..], &["/figures/"]] {
        let mut command = site.with_client(&[&[site.collection.as_str()], path].concat());
        command.env("BROWSER", launcher.program());
        let person = async {
            let page = launcher.page().await;
            // The page logs an automatic person in, and redirects to the program.
            let answer = fake_globus::Browser::new().open(page).await;
            assert_eq!(answer.expect("an answer").status, 200);
        };
        let (ran, ()) = tokio::join!(run(command), person);
        ran.assert_ended(
            0,
            if path.is_empty() {
                LISTING
            } else {
                "sketch.svg\n"
            },
        );
        site.globus
            .clock()
            .advance(std::time::Duration::from_secs(120));
    }
    checks::sample::assert_no_violation(&site.globus);
}
