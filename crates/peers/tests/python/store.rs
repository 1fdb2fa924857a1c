//! Python and Rust with one file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake_globus::{Collection, FakeGlobus, Person};
use globus_gare::reauth::{Identity, ReauthError, Reauthenticator, Target};
use globus_login::{GlobusApp, JsonFileStore, LoginPrompt, LoginReply, LoginRequest, TokenStore};

use checks::tokens::{put, servers, token};
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
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonFileStore::new(home.path().join("tokens.json"));
    for (namespace, server) in [
        ("DEFAULT", "transfer.api.globus.org"),
        ("DEFAULT", "auth.globus.org"),
        ("é\"\n", "x"),
    ] {
        put(&store, namespace, token(server, "tökén\u{7f}😀"), server).await;
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

/// Has both write, and tells how many of Python's tokens Rust saw at each of its own writes.
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
        let change = move |tokens: &mut globus_login::Tokens| {
            *counted.lock().expect("no panic") = tokens
                .keys()
                .filter(|name| name.starts_with("python"))
                .count();
            tokens.insert(server.clone(), new.clone());
        };
        store
            .update("DEFAULT", Box::new(change))
            .await
            .expect("kept");
        seen.push(*counts.lock().expect("no panic"));
    }
    assert_eq!(said.next().expect("a line").expect("text"), "done");
    assert!(python.wait().expect("Python ran").success());
    seen
}

/// How often the two are let loose until they come between each other's writes: who gets a lock is the system's to say.
const ROUNDS: usize = 20;

#[checks::test(seconds = 600)]
async fn concurrent_locked_writes_lose_nothing() {
    for _ in 0..ROUNDS {
        let home = tempfile::tempdir().expect("a directory");
        let store = JsonFileStore::new(home.path().join("tokens.json"));
        let python = writer(store.path(), "locked");
        let seen = write_at_once(&store, python).await;
        let tokens = store.load("DEFAULT").await.expect("tokens");
        for number in 0..WRITES {
            for by in ["python", "rust"] {
                assert!(
                    tokens.contains_key(&format!("{by}-{number}")),
                    "{by}-{number} is lost"
                );
            }
        }
        // They did write at once, or it has shown nothing.
        if seen.iter().any(|count| (1..WRITES).contains(count)) {
            return;
        }
    }
    panic!("in {ROUNDS} rounds one was always done before the other began");
}

/// The SDK as it is takes no turns. Rust still reads nothing torn, and what stands there at its writes, it keeps.
#[checks::test(seconds = 600)]
async fn unlocked_python_writes_are_never_read_torn() {
    for _ in 0..ROUNDS {
        let home = tempfile::tempdir().expect("a directory");
        let store = JsonFileStore::new(home.path().join("tokens.json"));
        let python = writer(store.path(), "plain");
        let seen = write_at_once(&store, python).await;
        put(&store, "DEFAULT", token("last", "by Rust"), "last").await;
        let tokens = store.load("DEFAULT").await.expect("tokens");
        let count = |by: &str| tokens.keys().filter(|name| name.starts_with(by)).count();
        eprintln!(
            "of {WRITES} each, {} by Python and {} by Rust are there in the end",
            count("python"),
            count("rust")
        );
        assert!(tokens.contains_key("last"));
        // Between our last look and the replacing there is a moment, in which a write of its may still fall;
        // how many do depends on the machine. Whoever did not look would leave next to none.
        assert!(count("python") >= WRITES / 2);
        if seen.iter().any(|count| *count > 0) {
            return;
        }
    }
    panic!("in {ROUNDS} rounds Rust was always done before Python began");
}

/// Logs in through a page that redirects by itself, and counts.
#[derive(Clone, Default)]
struct Logins(Arc<Mutex<usize>>);

#[async_trait]
impl LoginPrompt for Logins {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        *self.0.lock().expect("no panic") += 1;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        let page = client
            .expect("a client")
            .get(request.authorize_url().clone())
            .send()
            .await
            .expect("a page");
        let location = page.headers()["location"].to_str().expect("text");
        Ok(LoginReply::Redirect(location.parse().expect("a URL")))
    }
}

#[checks::test(seconds = 600)]
async fn login_is_shared_between_rust_and_python() {
    let files = tempfile::tempdir().expect("a directory");
    std::fs::write(files.path().join("hello.txt"), "hello").expect("a file");
    let collection = Collection::new("Plain", files.path());
    let id = collection.id().to_string();
    let globus = FakeGlobus::builder()
        .collection(collection)
        .person(Person::automatic());
    let globus = globus.start().await.expect("a server");
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
    let login = python(&["login", "list", &id]);
    let run = async |script: Command| {
        tokio::task::spawn_blocking(move || output(script))
            .await
            .expect("no panic")
    };
    let logins = Logins::default();
    let store = JsonFileStore::new(
        home.path()
            .join(format!(".globus/app/{client_id}/my-app/tokens.json")),
    );
    let app = || {
        let app = GlobusApp::user(&client_id)
            .auth_url(globus.auth_url())
            .scopes([
                "urn:globus:auth:scope:transfer.api.globus.org:all",
                "openid profile email",
            ])
            .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
            .refresh_tokens(true)
            .store(store.clone())
            .prompt(logins.clone());
        app.build().expect("an app")
    };
    let list = async |app: &GlobusApp| {
        let target = Target::new(
            globus.transfer_url().parse().expect("an origin"),
            Identity::Session,
        );
        let credential = app
            .credential(&target)
            .await
            .expect("no error")
            .expect("a credential");
        let url = format!("{}v0.10/operation/endpoint/{id}/ls", globus.transfer_url());
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let answer = client
            .get(url)
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
    assert_eq!(*logins.0.lock().expect("no panic"), 0);
    assert!(rust.logout().await.expect("told"));
    assert!(servers(&store.load("DEFAULT").await.expect("tokens")).is_empty());

    // The other way round.
    let rust = app();
    assert!(!rust.is_logged_in().await.expect("no error"));
    rust.login().await.expect("a login");
    assert_eq!(*logins.0.lock().expect("no panic"), 1);
    let said = run(python(&["list", &id, "whoami", "list", &id])).await;
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>(),
        ["hello.txt", "ada@uchicago.edu", "hello.txt"]
    );
    assert!(list(&rust).await.contains("hello.txt"));
    run(python(&["logout"])).await;
    assert!(!app().is_logged_in().await.expect("no error"));
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
}
