//! The Python example of the guide.

use std::fs;
use std::process::Stdio;

use checks::sample::{Sample, assert_no_violation};
use fake_globus::Policy;
use peers::{guide, python};

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn guide_example_runs_in_pytest() {
    let sample = Sample::guarded(|collection| {
        let policy = Policy::new("Recent").domain("uchicago.edu");
        collection.policy(policy.session_minutes(30))
    })
    .await;
    let scripts = python::script("conftest.py");
    let conftest = scripts.get_args().next().expect("a script");
    let directory = tempfile::tempdir().expect("a directory");
    fs::copy(conftest, directory.path().join("conftest.py")).expect("a file");
    let test = directory.path().join("test_example.py");
    fs::write(&test, guide::example("python")).expect("a file");

    let mut command = python::module("pytest");
    command
        .args(["-p", "no:cacheprovider"])
        .arg(&test)
        .current_dir(&directory)
        .envs(sample.globus.environment())
        .env("FAKE_GLOBUS_URL", sample.globus.auth_url())
        .env("FAKE_GLOBUS_COLLECTION", sample.collection.to_string())
        .env("GLOBUS_CLIENT_ID", sample.globus.client_id().to_string())
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let output = ran.expect("no panic").expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    assert_no_violation(&sample.globus);
    sample.of.globus.shutdown().await.expect("no panic");
}
