//! The Python SDK and the `globus` command line against the services other than Auth and Transfer.

use std::process::Stdio;

use checks::sample::assert_no_violation;
use fake_globus::{Collection, ComputeEndpoint, FakeGlobus, Flow, Group, Identity, Person, Policy};
use peers::python;

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn python_sdk_works_against_all_services() {
    run("services.py").await;
}

#[checks::test(seconds = 600, flavor = "multi_thread")]
async fn globus_command_works_against_all_services() {
    run("cli_services.py").await;
}

async fn run(script: &str) {
    let mut command = python::script(script);
    let home = tempfile::tempdir().expect("a directory");
    let directory = tempfile::tempdir().expect("a directory");
    let recent = || Policy::new("Recent").session_minutes(30);
    let flow = Flow::new("Publish");
    let guarded = Flow::new("Guarded").policy(recent());
    let group = Group::new("Climate").member("ada@uchicago.edu", "admin");
    let cluster = ComputeEndpoint::new("cluster").policy(recent());
    let collections = [
        Collection::new("Consented", directory.path()).data_access(),
        Collection::new("Recent", directory.path())
            .domain("uchicago.edu")
            .session_minutes(30)
            .high_assurance(),
    ];
    let [consented, old] = collections.each_ref().map(Collection::id);
    command.args(
        [
            flow.id(),
            guarded.id(),
            group.id(),
            cluster.id(),
            consented,
            old,
        ]
        .map(|id| id.to_string()),
    );
    let builder = FakeGlobus::builder()
        .identity(Identity::new("ada", "uchicago.edu"))
        .person(Person::automatic())
        .flow(flow)
        .flow(guarded)
        .group(group)
        .compute_endpoint(cluster);
    let globus = collections
        .into_iter()
        .fold(builder, |builder, collection| {
            builder.collection(collection)
        });
    let globus = globus.start().await.expect("a server");
    command
        .env("HOME", home.path())
        .envs(globus.environment())
        .env("GLOBUS_CLIENT_ID", globus.client_id().to_string())
        .stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let output = ran.await.expect("no panic").expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.trim_end().ends_with("passed"), "{said}");
    assert_no_violation(&globus);
    globus.shutdown().await.expect("no panic");
}
