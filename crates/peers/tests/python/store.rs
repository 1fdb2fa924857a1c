//! Python and Rust share token files and databases.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use checks::browser::{Browser, client};
use checks::sample::{Sample, TRANSFER_ALL, assert_no_violation};
use checks::tokens::{DEFAULT, load, own, put, servers, token, token_file, user};
use globus_gare::reauth::{CredentialRequest, Principal, Reauthenticator, Target, Why};
use globus_login::{GlobusApp, JsonStore, LoginStore, SqliteStore};
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
async fn python_preserves_the_file_of_rust() {
    let mut script = python::script("token_file.py");
    let (_home, store) = token_file();
    for (namespace, server) in [
        ("DEFAULT", "transfer.api.globus.org"),
        ("DEFAULT", "auth.globus.org"),
        ("é\"\n", "x"),
    ] {
        put(&store, &user(namespace), token(server, "tökén\u{7f}😀")).await;
    }
    let read = async |store: &JsonStore| {
        let mut all = Vec::new();
        for namespace in ["DEFAULT", "é\"\n"] {
            all.push(store.load(&user(namespace)).await.expect("a file").login);
        }
        all
    };
    let before = read(&store).await;
    script.arg("rewrite").arg(store.path());
    let theirs = output(script);
    std::fs::write(store.path(), theirs).expect("a file");
    assert_eq!(read(&JsonStore::new(store.path())).await, before);
}

#[checks::test(seconds = 600)]
fn token_file_path_is_that_of_python() {
    let mut script = python::script("token_file.py");
    assert!(
        std::env::var_os("GLOBUS_SDK_ENVIRONMENT").is_none(),
        "unset GLOBUS_SDK_ENVIRONMENT: our path depends on it, and the script does not get it"
    );
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
        .map(|name| match JsonStore::for_app("client", name) {
            Ok(store) => store.path().display().to_string(),
            Err(_) => "-".to_owned(),
        })
        .collect();
    assert_eq!(ours, theirs);
}

/// A Python process that stores 200 tokens once it is told to start.
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

/// Writes from Rust and Python at the same time.
async fn write_at_once(store: &(impl LoginStore + ?Sized), mut python: Child) {
    let mut said = BufReader::new(python.stdout.take().expect("a pipe")).lines();
    assert_eq!(said.next().expect("a line").expect("text"), "ready");
    let mut go = python.stdin.take().expect("a pipe");
    go.write_all(b"\n").expect("Python reads");
    for number in 0..WRITES {
        let server = format!("rust-{number}");
        put(store, &user(DEFAULT), token(&server, "by Rust")).await;
    }
    assert_eq!(said.next().expect("a line").expect("text"), "done");
    assert!(python.wait().expect("Python ran").success());
}

fn assert_all(tokens: &globus_login::Tokens, by: &str) {
    for number in 0..WRITES {
        let name = format!("{by}-{number}");
        assert!(tokens.contains_key(&name), "{name} is lost");
    }
}

#[checks::test(seconds = 600)]
async fn concurrent_locked_writes_lose_nothing() {
    let (_home, store) = token_file();
    write_at_once(&store, writer(store.path(), "locked")).await;
    let tokens = load(&store, &user(DEFAULT)).await;
    assert_all(&tokens, "rust");
    assert_all(&tokens, "python");
}

/// The SDK takes no lock: it may write back stale tokens. Still none of our writes is lost, and the
/// file is always complete.
#[checks::test(seconds = 600)]
async fn unlocked_python_writes_lose_none_of_ours() {
    let (_home, store) = token_file();
    write_at_once(&store, writer(store.path(), "plain")).await;
    let tokens = load(&store, &user(DEFAULT)).await;
    assert_all(&tokens, "rust");
    let theirs = tokens
        .keys()
        .filter(|name| name.starts_with("python"))
        .count();
    eprintln!("of {WRITES} writes by Python, {theirs} are there in the end");
    assert!(
        tokens.contains_key(&format!("python-{}", WRITES - 1)),
        "Python's last write is lost"
    );
    // Another program reads the same tokens.
    let other = load(&JsonStore::new(store.path()), &user(DEFAULT)).await;
    assert_eq!(other, tokens);
}

#[checks::test(seconds = 600)]
async fn database_is_shared_and_nothing_is_lost() {
    // Once Python creates the database, once Rust.
    for is_ours in [false, true] {
        let home = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::new(home.path().join("tokens.db"));
        if is_ours {
            put(&store, &user("other"), token("t", "t")).await;
        }
        write_at_once(&store, writer(store.path(), "sqlite")).await;
        let tokens = load(&store, &user(DEFAULT)).await;
        assert_all(&tokens, "rust");
        assert_all(&tokens, "python");
        let mut script = python::script("token_file.py");
        script.arg("servers").arg(store.path());
        let mut theirs: Vec<String> = output(script).lines().map(str::to_owned).collect();
        theirs.sort();
        assert_eq!(theirs, servers(&tokens));
    }
}

#[checks::test(seconds = 600)]
async fn login_is_shared_between_rust_and_python() {
    let sample = Sample::open().await;
    sample.write("hello.txt", "hello");
    let (globus, id) = (&sample.globus, sample.collection.to_string());
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
    let browser = Browser::redirected();
    let store = JsonStore::new(
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
    rust.login().await.expect("a login");
    assert!(list(&rust).await.contains("hello.txt"));
    assert_eq!(
        rust.account()
            .await
            .expect("no error")
            .expect("an account")
            .username
            .as_deref(),
        Some("ada@uchicago.edu")
    );
    assert_eq!(browser.logins(), 0);
    assert!(rust.logout().await.expect("told"));
    assert!(servers(&load(&store, &own(&client_id)).await).is_empty());

    // Rust logs in, and Python lists.
    let rust = app();
    assert!(!rust.is_logged_in().await.expect("no error"));
    rust.login().await.expect("a login");
    assert_eq!(browser.logins(), 1);
    let said = run(python(&["list", &id, "whoami", "list", &id])).await;
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>(),
        ["hello.txt", "ada@uchicago.edu", "hello.txt"]
    );
    assert!(list(&rust).await.contains("hello.txt"));
    run(python(&["logout"])).await;
    assert!(!app().is_logged_in().await.expect("no error"));
    assert_no_violation(globus);
}
