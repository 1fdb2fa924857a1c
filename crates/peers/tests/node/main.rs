//! The unchanged JavaScript SDK in Node against `FakeGlobus`, and the example of the guide.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};

use checks::sample::{Sample, assert_no_violation};
use peers::{guide, node};

/// Runs a test file of Node against a collection that requires a login within half an hour.
async fn run(file: &Path, directory: &Path, tests: usize) {
    let sample = Sample::guarded(|collection| {
        let policy = fake_globus::Policy::new("Recent");
        collection.policy(policy.domain("uchicago.edu").session_minutes(30))
    })
    .await;
    sample.write("hello.txt", "hello");
    let mut command: Command = node::node();
    command
        .args(["--test", "--test-reporter=tap"])
        .arg(file)
        .current_dir(directory)
        .envs(sample.globus.environment())
        .env("FAKE_GLOBUS_URL", sample.globus.auth_url())
        .env("FAKE_GLOBUS_COLLECTION", sample.collection.to_string())
        .env("GLOBUS_CLIENT_ID", sample.globus.client_id().to_string())
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let output = ran.expect("no panic").expect("Node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let passed = format!("\n# pass {tests}\n");
    assert!(said.contains(&passed), "{said}");
    assert_no_violation(&sample.globus);
    sample.of.globus.shutdown().await.expect("no panic");
}

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn javascript_sdk_works_against_fake_globus() {
    let file = node::file("services.test.mjs");
    run(&file, file.parent().expect("a directory"), 4).await;
}

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn guide_example_runs_in_node() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("example.test.mjs"), guide::example("js")).expect("a file");
    std::fs::copy(node::file("program.mjs"), at("program.mjs")).expect("a file");
    let modules = node::file("node_modules");
    std::os::unix::fs::symlink(modules, at("node_modules")).expect("a link");
    run(&at("example.test.mjs"), directory.path(), 2).await;
}
