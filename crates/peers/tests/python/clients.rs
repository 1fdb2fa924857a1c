//! The unchanged Python SDK and `globus` command line against `FakeGlobus`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use fake_globus::{Collection, ErrorShape, FakeGlobus, Identity, Person, Policy, ViolationKind};
use peers::python;

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn python_sdk_works_against_fake_globus() {
    run("sdk.py").await;
}

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn python_sdk_manages_objects_of_fake_globus() {
    run("manage.py").await;
}

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn globus_command_works_against_fake_globus() {
    run("cli.py").await;
}

async fn run(script: &'static str) {
    let mut command = python::script(script);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("hello.txt"), "hello").expect("a file");
    std::fs::write(dir.path().join("notes.txt"), "note").expect("a file");
    std::fs::create_dir(dir.path().join("sub")).expect("a directory");
    std::fs::write(dir.path().join("sub/deep.txt"), "deep").expect("a file");
    let home = tempfile::tempdir().expect("a directory");
    let guarded = |name: &str| {
        Collection::new(name, dir.path())
            .domain("uchicago.edu")
            .session_minutes(30)
    };
    let collections = [
        guarded("Plain"),
        guarded("Embedded").errors(ErrorShape::Embedded),
        Collection::new("Policy", dir.path()).policy(
            Policy::new("Recent")
                .session_minutes(30)
                .domain("uchicago.edu"),
        ),
        Collection::new("Data access", dir.path()).data_access(),
    ];
    let ids = collections
        .each_ref()
        .map(|collection| collection.id().to_string());
    let identity =
        Identity::new("ada", "uchicago.edu").linked(Identity::new("ada", "globusid.org"));
    let builder = FakeGlobus::builder()
        .identity(identity)
        .person(Person::automatic());
    let globus = collections
        .into_iter()
        .fold(builder, |builder, collection| {
            builder.collection(collection)
        });
    let globus = globus.start().await.expect("a server");

    command
        .args(&ids)
        .env("HOME", home.path())
        .envs(globus.environment())
        .env("GLOBUS_CLIENT_ID", globus.client_id().to_string())
        .env(
            "FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID",
            globus.confidential_client_id().to_string(),
        )
        .env("FAKE_GLOBUS_CLIENT_SECRET", globus.client_secret());
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let clock = globus.clock();
    let said = tokio::task::spawn_blocking(move || converse(child, |by| clock.advance(by)))
        .await
        .expect("no panic");
    assert!(said.trim_end().ends_with("passed"), "{script} said: {said}");
    // A script sends a wrong secret on purpose.
    let violations = globus.violations();
    let others = violations
        .iter()
        .filter(|violation| violation.kind != ViolationKind::WrongSecret);
    assert_eq!(others.count(), 0, "{violations:?}");
    globus.shutdown().await.expect("no panic");
}

/// Advances the clock when the script prints a line such as `@advance 60`; returns other output.
fn converse(mut child: Child, advance: impl Fn(Duration)) -> String {
    let mut answers = child.stdin.take().expect("a pipe");
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("text");
        match line.strip_prefix("@advance ") {
            Some(seconds) => {
                advance(Duration::from_secs(seconds.parse().expect("a number")));
                writeln!(answers, "done").expect("Python reads");
            }
            None => said.extend([line.as_str(), "\n"]),
        }
    }
    let status = child.wait().expect("Python ran");
    assert!(status.success(), "{status}: {said}");
    said
}
