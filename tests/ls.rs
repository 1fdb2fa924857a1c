//! The example `ls`, as its users run it: the whole program, its streams and its exit codes.
//!
//! The program is the one that `cargo test` has built; alone, `cargo build --example ls` builds it.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use globus_gare::testing::{Collection, FakeGlobus, Identity, Person};
use tempfile::TempDir;
use tokio::process::Command;

const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";
const LISTING: &str = "README.txt\nfigures/\nmeasurements.csv\n";

/// The program, in an environment that says nothing about Globus or colours.
fn ls(arguments: &[&str]) -> Command {
    let test = env::current_exe().expect("this test");
    let target = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a target directory");
    let program: PathBuf = target
        .join("examples")
        .join(format!("ls{}", env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "build it with `cargo build --example ls`: {}",
        program.display()
    );
    let mut command = Command::new(program);
    for (name, _) in env::vars() {
        if name.starts_with("GLOBUS_") || name.starts_with("CLICOLOR") || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

async fn run(mut command: Command) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it ends").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        code: status.code().expect("an exit code"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// The one line on stderr of a run that failed with `code` and listed nothing.
fn the_line(ran: &Ran, code: i32) -> &str {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let line = ran.stderr.trim_end().strip_prefix("ls: ");
    line.unwrap_or_else(|| panic!("who complains? {}", ran.stderr))
}

/// A Globus with one collection over a directory, and a token for it.
struct Site {
    globus: FakeGlobus,
    collection: String,
    token: String,
    directory: TempDir,
}

impl Site {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("figures")).expect("a directory");
        fs::write(directory.path().join("figures/sketch.svg"), "<svg/>").expect("a file");
        fs::write(directory.path().join("README.txt"), "hello").expect("a file");
        fs::write(directory.path().join("measurements.csv"), vec![b'1'; 4815]).expect("a file");
        let collection = Collection::new("Samples", directory.path()).session_minutes(1);
        let ada = Identity::new("ada", "uchicago.edu");
        let id = collection.id().to_string();
        let builder = FakeGlobus::builder()
            .collection(collection)
            .identity(ada.clone());
        let globus = builder
            .person(Person::automatic())
            .start()
            .await
            .expect("a server");
        let token = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
        Self {
            globus,
            collection: id,
            token,
            directory,
        }
    }

    /// The program, told where this Globus is, and with its token.
    fn ls(&self, arguments: &[&str]) -> Command {
        let mut command = ls(arguments);
        command
            .env(
                "GLOBUS_SDK_SERVICE_URL_TRANSFER",
                self.globus.transfer_url(),
            )
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", self.globus.auth_url())
            .env("GLOBUS_ACCESS_TOKEN", &self.token);
        command
    }
}

#[tokio::test]
async fn the_demonstration_lists_logs_in_and_lists_again() {
    let ran = run(ls(&[])).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, LISTING.repeat(2).as_str()),
        "{}",
        ran.stderr
    );
    for said in [
        "status 502",
        "asks you to log in again",
        "The same listing again",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    assert!(
        !(ran.stdout + &ran.stderr).contains('\u{1b}'),
        "escape codes, and no terminal"
    );
}

#[tokio::test]
async fn the_demonstration_takes_the_options() {
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
    assert!(
        ran.code == 0 && ran.stdout.contains("\u{1b}[") && ran.stdout.contains("figures"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_login_declined_or_forbidden_ends_the_demonstration_with_4() {
    for (option, says) in [
        ("--decline", "the login was declined"),
        ("--no-login", "without --no-login"),
    ] {
        let ran = run(ls(&[option])).await;
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (4, LISTING),
            "{}",
            ran.stderr
        );
        let complaints: Vec<_> = ran
            .stderr
            .lines()
            .filter(|line| line.starts_with("ls: "))
            .collect();
        assert!(
            complaints.len() == 1 && complaints[0].contains(says),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.lines().last(), Some(complaints[0]));
    }
}

#[tokio::test]
async fn a_collection_is_listed_with_the_token_of_the_environment() {
    let site = Site::new().await;
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
        let ran = run(site.ls(&arguments)).await;
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, listed, ""),
            "{arguments:?}"
        );
    }
    assert!(
        site.globus.violations().is_empty(),
        "{:?}",
        site.globus.violations()
    );
}

#[tokio::test]
async fn a_login_that_is_not_possible_is_4_and_one_line() {
    let site = Site::new().await;
    site.globus.clock().advance(Duration::from_secs(120));
    for (arguments, says) in [
        (&[][..], "--client-id"),
        (&["--no-login"], "without --no-login"),
        (&["--client-id", "x"], "in a terminal"),
    ] {
        let ran = run(site.ls(&[&[site.collection.as_str()], arguments].concat())).await;
        let line = the_line(&ran, 4);
        assert!(
            line.contains("asks you to log in again") && line.contains(says),
            "{line}"
        );
        assert!(!line.contains(&site.token));
    }
    let mut without_token = site.ls(&[&site.collection]);
    without_token.env_remove("GLOBUS_ACCESS_TOKEN");
    assert!(the_line(&run(without_token).await, 4).contains("GLOBUS_ACCESS_TOKEN"));
    let mut bad_token = site.ls(&[&site.collection]);
    bad_token.env("GLOBUS_ACCESS_TOKEN", "s3cret");
    let ran = run(bad_token).await;
    let line = the_line(&ran, 4);
    assert!(
        line.contains("not accepted") && !line.contains("s3cret"),
        "{line}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_one_line() {
    let site = Site::new().await;
    let unknown = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    let ran = run(site.ls(&[unknown])).await;
    let line = the_line(&ran, 1);
    assert!(
        line.contains(unknown) && line.contains("https://app.globus.org/collections"),
        "{line}"
    );
    let ran = run(site.ls(&[&site.collection, "/nowhere/"])).await;
    let line = the_line(&ran, 1);
    assert!(
        line.contains("/nowhere/") && line.contains("not found") && line.contains("parent"),
        "{line}"
    );
    let ran = run(site.ls(&[&site.collection, "/README.txt"])).await;
    assert!(the_line(&ran, 1).contains("/README.txt"));
}

#[tokio::test]
async fn a_wrong_command_line_is_2() {
    let ran = run(ls(&["not-a-uuid"])).await;
    assert!(the_line(&ran, 2).contains("not a collection id"));
    let ran = run(ls(&["evil\u{1b}[2J\nid"])).await;
    assert!(!the_line(&ran, 2).contains('\u{1b}'));
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
    assert!(
        ran.code == 0 && ran.stdout.contains("Examples:") && ran.stdout.contains("Exit codes:"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_service_out_of_reach_is_1_and_one_line() {
    let id = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    // It listens, and never answers; once dropped, nobody does.
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
    assert!(the_line(&ran, 1).contains("--timeout"));
    drop(silent);
    let ran = run(at(&address, &[id])).await;
    assert!(the_line(&ran, 1).contains("cannot be reached"));
    for (url, says) in [
        ("http://data.example.edu", "https"),
        ("nonsense", "GLOBUS_SDK_SERVICE_URL_TRANSFER"),
    ] {
        let ran = run(at(url, &[id])).await;
        let line = the_line(&ran, 1);
        assert!(line.contains(says) && !line.contains("s3cret"), "{line}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_trouble() {
    for stdout in [true, false] {
        let mut command = ls(&["--long"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        if stdout {
            drop(child.stdout.take());
        } else {
            drop(child.stderr.take());
        }
        let output = child.wait_with_output().await.expect("it ends");
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panic"));
    }
}

/// Names and logins at a real terminal.
#[cfg(unix)]
mod at_a_terminal {
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};
    use std::thread::JoinHandle;

    use reqwest::redirect::Policy;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    /// What the program writes to its terminal, and what is typed there.
    struct Screen {
        keyboard: File,
        shown: String,
        pieces: UnboundedReceiver<String>,
        _reader: JoinHandle<()>,
    }

    impl Screen {
        /// Starts the program with all three streams at a new terminal.
        fn start(command: &mut Command) -> (Self, tokio::process::Child) {
            let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
            grantpt(&controller).expect("a terminal");
            unlockpt(&controller).expect("a terminal");
            let name = ptsname(&controller, Vec::new())
                .expect("a terminal")
                .into_string()
                .expect("text");
            let terminal = || {
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(&name)
                    .expect("a terminal")
            };
            command
                .stdin(terminal())
                .stdout(terminal())
                .stderr(terminal())
                .env("TERM", "xterm");
            let child = command.spawn().expect("it starts");
            // The command keeps its ends open: closed, the reader learns of the end.
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let keyboard = File::from(controller);
            let mut screen = keyboard.try_clone().expect("a terminal");
            let (sender, pieces) = unbounded_channel();
            let reader = std::thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(length @ 1..) = screen.read(&mut piece) {
                    if sender
                        .send(String::from_utf8_lossy(&piece[..length]).into_owned())
                        .is_err()
                    {
                        return;
                    }
                }
            });
            (
                Self {
                    keyboard,
                    shown: String::new(),
                    pieces,
                    _reader: reader,
                },
                child,
            )
        }

        /// Reads on until `text` is shown, or, where that is empty, to the end.
        async fn wait_for(&mut self, text: &str) -> String {
            while text.is_empty() || !self.shown.contains(text) {
                let piece = tokio::time::timeout(Duration::from_secs(30), self.pieces.recv()).await;
                match piece.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.shown)) {
                    Some(piece) => self.shown.push_str(&piece),
                    None => break,
                }
            }
            self.shown.clone()
        }
    }

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
}
