//! Python and Rust with one file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use checks::browser::{Browser, client};
use checks::sample::{Sample, TRANSFER_ALL, assert_no_violation};
use checks::tokens::{DEFAULT, load, put, servers, token, token_file, update};
use globus_gare::reauth::{CredentialRequest, Principal, Reauthenticator, Target, Why};
use globus_login::{GlobusApp, JsonFileStore, Tokens};
use peers::python;

const WRITES: usize = 200;

fn output(mut command: Command) -> String {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("Python starts");
    assert!(
        output.status.success(),
        "the script failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).expect("text")
}

#[checks::test(seconds = 600)]
async fn rust_and_python_write_the_same_bytes() {
    let mut script = python::script("token_file.py");
    let (_home, store) = token_file();
    for (namespace, server) in [
        ("DEFAULT", "transfer.api.globus.org"),
        ("DEFAULT", "auth.globus.org"),
        ("é\"\n", "x"),
    ] {
        put(&store, namespace, token(server, "tökén\u{7f}😀")).await;
    }
    let ours = std::fs::read_to_string(store.path()).expect("a file");
    script.arg("rewrite").arg(store.path());
    assert_eq!(
        output(script),
        ours,
        "Python reads it, and writes the same bytes"
    );
}

#[checks::test(seconds = 600)]
fn token_file_path_is_that_of_python() {
    let mut script = python::script("token_file.py");
    if std::env::var_os("GLOBUS_SDK_ENVIRONMENT").is_some() {
        return;
    }
    let names = [
        "My App",
        "a. b?/C",
        "Unnamed Globus App",
        "ÄÖ\u{200b}",
        "con",
        "COM7",
        "\u{7}",
        "..",
        "a\u{a0}b",
    ];
    script.arg("path").arg("client").args(names);
    let theirs: Vec<String> = output(script).lines().map(str::to_owned).collect();
    let ours: Vec<String> = names
        .iter()
        .map(|name| match JsonFileStore::for_app("client", name) {
            Ok(store) => store.path().display().to_string(),
            Err(_) => "-".to_owned(),
        })
        .collect();
    assert_eq!(ours, theirs);
}

/// A Python that waits for a word to store 200 tokens.
fn writer(path: &Path, how: &str) -> Child {
    let mut script = python::script("token_file.py");
    script
        .arg("write")
        .arg(path)
        .arg(WRITES.to_string())
        .arg(how);
    let writer = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    writer.expect("Python starts")
}

/// Has both write, and gives how many of Python's tokens Rust saw at each of its own writes.
async fn write_at_once(store: &JsonFileStore, mut python: Child) -> Vec<usize> {
    let mut said = BufReader::new(python.stdout.take().expect("a pipe")).lines();
    assert_eq!(said.next().expect("a line").expect("text"), "ready");
    python
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"\n")
        .expect("Python reads");
    let mut seen = Vec::new();
    for number in 0..WRITES {
        let server = format!("rust-{number}");
        let new = token(&server, "by Rust");
        let counts = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&counts);
        let change = move |tokens: &mut Tokens| {
            *counted.lock().expect("no panic") = tokens
                .keys()
                .filter(|name| name.starts_with("python"))
                .count();
            tokens.insert(server.clone(), new.clone());
        };
        update(store, DEFAULT, change).await;
        seen.push(*counts.lock().expect("no panic"));
    }
    assert_eq!(said.next().expect("a line").expect("text"), "done");
    assert!(python.wait().expect("Python ran").success());
    seen
}

/// How often the two are started until their writes interleave: the system decides who gets a lock.
const ROUNDS: usize = 20;

/// Has both write in up to [`ROUNDS`] rounds, each with a file of its own, until `check` says that their writes
/// interleaved. It gets the file, and how many of Python's tokens Rust saw at each of its writes.
async fn until_interleaved(how: &str, check: impl AsyncFn(JsonFileStore, Vec<usize>) -> bool) {
    for _ in 0..ROUNDS {
        let (_home, store) = token_file();
        let seen = write_at_once(&store, writer(store.path(), how)).await;
        if check(store, seen).await {
            return;
        }
    }
    panic!("in {ROUNDS} rounds one was always done before the other began");
}

#[checks::test(seconds = 600)]
async fn concurrent_locked_writes_lose_nothing() {
    let check = async |store, seen: Vec<usize>| {
        let tokens = load(&store).await;
        for number in 0..WRITES {
            for by in ["python", "rust"] {
                let name = format!("{by}-{number}");
                assert!(tokens.contains_key(&name), "{name} is lost");
            }
        }
        seen.iter().any(|count| (1..WRITES).contains(count))
    };
    until_interleaved("locked", check).await;
}

/// The SDK itself takes no lock. Rust still reads no half of a file, and keeps what it finds at its own writes.
#[checks::test(seconds = 600)]
async fn unlocked_python_writes_are_never_read_torn() {
    let check = async |store, seen: Vec<usize>| {
        put(&store, DEFAULT, token("last", "by Rust")).await;
        let tokens = load(&store).await;
        let count = |by: &str| tokens.keys().filter(|name| name.starts_with(by)).count();
        let (python, rust) = (count("python"), count("rust"));
        eprintln!("of {WRITES} each, {python} by Python and {rust} by Rust are there in the end");
        assert!(tokens.contains_key("last"));
        // A write of Python between the last read and the replacement is lost; how many are depends on the machine.
        // Without that read next to none would be left.
        assert!(python >= WRITES / 2);
        seen.iter().any(|count| *count > 0)
    };
    until_interleaved("plain", check).await;
}

#[checks::test(seconds = 600)]
async fn login_is_shared_between_rust_and_python() {
    let sample = Sample::open().await;
    sample.write("hello.txt", "hello");
    let (globus, id) = (&sample.globus, &sample.collection);
    let home = tempfile::tempdir().expect("a directory");
    let client_id = globus.client_id().to_string();
    let python = |words: &[&str]| {
        let mut script = python::script("shared_login.py");
        script
            .arg("My App")
            .args(words)
            .env("HOME", home.path())
            .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", globus.transfer_url())
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", globus.auth_url())
            .env("GLOBUS_CLIENT_ID", &client_id);
        script
    };
    let login = python(&["login", "list", id]);
    let run = async |script: Command| {
        tokio::task::spawn_blocking(move || output(script))
            .await
            .expect("no panic")
    };
    let browser = Browser::redirected();
    let store = JsonFileStore::new(
        home.path()
            .join(format!(".globus/app/{client_id}/my-app/tokens.json")),
    );
    let app = || {
        let app = GlobusApp::user(&client_id)
            .auth_url(globus.auth_url())
            .scopes([TRANSFER_ALL, "openid profile email"])
            .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
            .refresh_tokens(true)
            .store(store.clone())
            .prompt(browser.clone());
        app.build().expect("an app")
    };
    let list = async |app: &GlobusApp| {
        let target = Target::new(
            globus.transfer_url().parse().expect("an origin"),
            Principal::Session,
        );
        let credential = app
            .credential(&CredentialRequest::new(target.clone(), Why::Initial))
            .await
            .expect("no error")
            .expect("a credential");
        let answer = client()
            .get(sample.listing())
            .header("authorization", credential.header_value())
            .send()
            .await;
        answer.expect("an answer").text().await.expect("text")
    };

    // Python logs in, and Rust lists.
    assert_eq!(run(login).await.trim(), "hello.txt");
    let rust = app();
    rust.login().await.expect("it is logged in");
    assert!(list(&rust).await.contains("hello.txt"));
    assert_eq!(
        rust.account()
            .await
            .expect("no error")
            .expect("somebody")
            .username
            .as_deref(),
        Some("ada@uchicago.edu")
    );
    assert_eq!(browser.logins(), 0);
    assert!(rust.logout().await.expect("told"));
    assert!(servers(&load(&store).await).is_empty());

    // The other way round.
    let rust = app();
    assert!(!rust.is_logged_in().await.expect("no error"));
    rust.login().await.expect("a login");
    assert_eq!(browser.logins(), 1);
    let said = run(python(&["list", id, "whoami", "list", id])).await;
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>(),
        ["hello.txt", "ada@uchicago.edu", "hello.txt"]
    );
    assert!(list(&rust).await.contains("hello.txt"));
    run(python(&["logout"])).await;
    assert!(!app().is_logged_in().await.expect("no error"));
    assert_no_violation(globus);
}
