//! Arguments, streams and exit codes.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use checks::sample::assert_no_violation;
use checks::site::*;

use crate::support::*;

#[checks::test(seconds = 600)]
async fn demo_lists_logs_in_and_lists_again() {
    let ran = run(ls(&[])).await;
    ran.assert_ended(0, &LISTING.repeat(2));
    for text in [
        "status 502",
        "asks you to log in again",
        "The same listing again",
    ] {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    assert!(
        !(ran.stdout + &ran.stderr).contains('\u{1b}'),
        "escape codes without a terminal"
    );
}

#[checks::test(seconds = 600)]
async fn demo_takes_the_output_options() {
    let ran = run(ls(&["--long"])).await;
    let lines: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!((ran.code, lines.len()), (0, 6), "{}", ran.stderr);
    assert!(
        lines[0][0].starts_with("-rw") && lines[0][1..3] == ["20", "B"],
        "{}",
        ran.stdout
    );
    assert!(
        lines[1][0].starts_with("drwx") && lines[1][1] == "-",
        "{}",
        ran.stdout
    );
    assert!(
        lines[2][1..3] == ["4.70", "KiB"] && lines[2][5] == "measurements.csv",
        "{}",
        ran.stdout
    );

    let ran = run(ls(&["--format", "json"])).await;
    let documents =
        serde_json::Deserializer::from_str(&ran.stdout).into_iter::<serde_json::Value>();
    let documents: Vec<_> = documents
        .collect::<Result<_, _>>()
        .expect("JSON and nothing else");
    assert_eq!((ran.code, documents.len()), (0, 2), "{}", ran.stderr);
    assert_eq!(documents[0]["DATA_TYPE"], "file_list");
    assert_eq!(documents[1]["DATA"][1]["name"], "figures");

    let ran = run(ls(&["--color", "always"])).await;
    ran.assert_shows(&["\u{1b}[", "figures"]);
}

#[checks::test(seconds = 600)]
async fn demo_without_its_login_exits_with_4() {
    for (option, says) in [
        ("--decline", "the login was declined"),
        ("--no-login", "without --no-login"),
    ] {
        let ran = run(ls(&[option])).await;
        ran.assert_ended(4, LISTING);
        let complaints: Vec<_> = ran
            .stderr
            .lines()
            .filter(|line| line.starts_with("globus-ls: "))
            .collect();
        assert!(
            complaints.len() == 1 && complaints[0].contains(says),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.lines().last(), Some(complaints[0]));
    }
}

#[checks::test(seconds = 600)]
async fn environment_token_lists_a_collection() {
    let site = Site::new(PROGRAM).await;
    let id = site.collection.as_str();
    for (arguments, listed) in [
        (vec![id], LISTING),
        (vec![id, "/figures/"], "sketch.svg\n"),
        (
            vec![&format!("{id}:/figures"), "--client-id", "x"],
            "sketch.svg\n",
        ),
        (vec!["--no-login", &id.to_uppercase(), "/"], LISTING),
    ] {
        let ran = run(site.with_token(&arguments)).await;
        ran.assert_said(listed);
    }
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn impossible_login_exits_with_4_and_one_line() {
    let site = Site::new(PROGRAM).await;
    site.globus.clock().advance(Duration::from_secs(120));
    for (arguments, says) in [
        (&[][..], "--client-id"),
        (&["--no-login"], "without --no-login"),
        (&["--client-id", "x"], "run the program once in a terminal"),
    ] {
        let ran = run(site.with_token(&[&[site.collection.as_str()], arguments].concat())).await;
        let line = ran.error_line(4);
        assert!(
            line.contains("asks you to log in again") && line.contains(says),
            "{line}"
        );
        assert!(!line.contains(&site.token));
    }
    let mut without_token = site.with_token(&[&site.collection]);
    without_token.env_remove("GLOBUS_ACCESS_TOKEN");
    let ran = run(without_token).await;
    assert!(ran.error_line(4).contains("GLOBUS_ACCESS_TOKEN"));
    let mut bad_token = site.with_token(&[&site.collection]);
    bad_token.env("GLOBUS_ACCESS_TOKEN", "s3cret");
    let ran = run(bad_token).await;
    let line = ran.error_line(4);
    assert!(
        line.contains("not accepted") && !line.contains("s3cret"),
        "{line}"
    );
}

#[checks::test(seconds = 600)]
async fn missing_collection_or_path_exits_with_1_and_one_line() {
    let site = Site::new(PROGRAM).await;
    let unknown = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    let ran = run(site.with_token(&[unknown])).await;
    let line = ran.error_line(1);
    assert!(
        line.contains(unknown) && line.contains("https://app.globus.org/collections"),
        "{line}"
    );
    let ran = run(site.with_token(&[&site.collection, "/nowhere/"])).await;
    let line = ran.error_line(1);
    assert!(
        line.contains("/nowhere/") && line.contains("not found") && line.contains("parent"),
        "{line}"
    );
    let ran = run(site.with_token(&[&site.collection, "/README.txt"])).await;
    assert!(ran.error_line(1).contains("/README.txt"));
}

#[checks::test(seconds = 600)]
async fn wrong_command_line_exits_with_2() {
    let ran = run(ls(&["not-a-uuid"])).await;
    assert!(ran.error_line(2).contains("not a collection id"));
    let ran = run(ls(&["evil\u{1b}[2J\nid"])).await;
    assert!(!ran.error_line(2).contains('\u{1b}'));
    let ran = run(ls(&["--no-login", "check", "id"])).await;
    assert!(ran.error_line(2).contains("write 'globus-ls check' first"));
    for arguments in [
        &["--bogus"][..],
        &["--timeout", "0"],
        &["a", "b", "c"],
        &["x", "--decline"],
    ] {
        let ran = run(ls(arguments)).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    let ran = run(ls(&["--help"])).await;
    ran.assert_shows(&["Examples:", "Exit codes:"]);
}

#[checks::test(seconds = 600)]
async fn unreachable_service_exits_with_1_and_one_line() {
    let id = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    // The listener never answers. Once it is dropped, the port is closed.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let at = |url: &str, arguments: &[&str]| {
        let mut command = ls(arguments);
        command
            .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", url)
            .env("GLOBUS_ACCESS_TOKEN", "s3cret");
        command
    };
    let ran = run(at(&address, &[id, "--timeout", "1"])).await;
    assert!(ran.error_line(1).contains("--timeout"));
    drop(silent);
    let ran = run(at(&address, &[id])).await;
    assert!(ran.error_line(1).contains("cannot be reached"));
    for (url, says) in [
        ("http://data.example.edu", "https"),
        ("nonsense", "GLOBUS_SDK_SERVICE_URL_TRANSFER"),
    ] {
        let ran = run(at(url, &[id])).await;
        let line = ran.error_line(1);
        assert!(line.contains(says) && !line.contains("s3cret"), "{line}");
    }
    // The person does not log in for a service that gets no token.
    let mut without_token = at("http://data.example.edu", &["--client-id", "x", id]);
    without_token.env_remove("GLOBUS_ACCESS_TOKEN");
    let ran = run(without_token).await;
    assert!(ran.error_line(1).contains("give an https URL"));
}

#[checks::test(seconds = 600)]
async fn closed_pipe_is_no_error() {
    for stdout in [true, false] {
        let mut command = ls(&["--long"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        if stdout {
            drop(child.stdout.take());
        } else {
            drop(child.stderr.take());
        }
        let output = child.wait_with_output().await.expect("the program ends");
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panic"));
    }
}

#[checks::test(seconds = 600)]
async fn help_fits_on_two_screens() {
    let help = run(ls(&["--help"])).await;
    help.assert_shows(&["Examples:", "Exit codes:", "-h, --human-readable"]);
    assert!(help.stdout.find("Examples:") < help.stdout.find("Usage:"));
    let lines: Vec<&str> = help.stdout.lines().collect();
    assert!(lines.len() <= 2 * 24, "{} lines", lines.len());
    let longest = lines.iter().max_by_key(|line| line.len()).expect("a line");
    assert!(longest.len() <= 100, "{longest}");
    run(ls(&["help"])).await.assert_said(&help.stdout);
    for (topic, says) in [
        ("login", "--client-id"),
        ("filters", "~PATTERN"),
        ("environment", "LS_COLORS"),
    ] {
        run(ls(&["help", topic])).await.assert_shows(&[says]);
    }
}
