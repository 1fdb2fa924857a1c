//! Configuration files, and the configuration of options.

use std::fs;

use crate::support::{Running, ended};

const CONFIG: &str = r#"
port = 0

[person]
login = "approve"

[[identities]]
username = "ada@uchicago.edu"
linked = [{ username = "ada@globusid.org" }]

[[clients]]
id = "8e1a0d5c-4d0b-4d0e-9c57-0a3f3f1f0b11"
name = "Portal"
secret = "xyzzy"

[[collections]]
name = "Climate"
root = "data"
session_minutes = 30

[[collections.policies]]
name = "Campus"
domains = ["uchicago.edu"]

[[flows]]
title = "Publish"
policies = [{ name = "Recent", session_minutes = 30 }]

[[groups]]
name = "Climate"
members = [{ identity = "ada@uchicago.edu", role = "admin" }, { identity = "ada@globusid.org" }]

[[compute_endpoints]]
name = "cluster"
owner = "ada@uchicago.edu"

[[limits]]
every = 3
service = "transfer"
"#;

#[checks::test]
fn file_configures_clients_and_collections() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("data")).expect("a directory");
    let file = directory.path().join("globus.toml");
    fs::write(&file, CONFIG).expect("a file");
    let file = file.to_str().expect("text");
    let mut running = Running::start(&["--config", file]);
    let variables = running.variables();
    assert_eq!(variables["FAKE_GLOBUS_CLIENT_SECRET"], "xyzzy");
    let id = &variables["FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID"];
    assert_eq!(id, "8e1a0d5c-4d0b-4d0e-9c57-0a3f3f1f0b11");
    // The id is derived from the name.
    let collection = fake_globus::Collection::new("Climate", "").id();
    assert_eq!(variables["FAKE_GLOBUS_COLLECTION"], collection.to_string());
}

#[checks::test]
fn printed_configuration_describes_the_options() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().to_str().expect("text");
    let options = [
        "--print-config",
        "--auto",
        "--root",
        root,
        "--domain",
        "anl.gov",
        "--session-minutes",
        "5",
        "--identity",
        "bob@anl.gov",
    ];
    let printed = String::from_utf8(ended(&options).stdout).expect("text");
    for line in [
        "login = \"approve\"",
        "session_minutes = 5",
        "username = \"bob@anl.gov\"",
        &format!("root = \"{root}\""),
    ] {
        assert!(
            printed.lines().any(|printed| printed == line),
            "{line}: {printed}"
        );
    }
    let file = directory.path().join("printed.toml");
    fs::write(&file, &printed).expect("a file");
    let file = file.to_str().expect("text");
    let again = ended(&["--config", file, "--print-config"]).stdout;
    assert_eq!(String::from_utf8(again).expect("text"), printed);
}

#[checks::test]
fn invalid_configuration_is_an_error_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("globus.toml");
    let path = file.to_str().expect("text");
    for (config, reason) in [
        ("prot = 1", "unknown field `prot`"),
        ("[[collections]]\nname = \"x\"", "missing field `root`"),
        (
            "[[collections]]\nname = \"x\"\nroot = \"nowhere\"",
            "cannot open the directory",
        ),
        (
            "[[identities]]\nusername = \"ada\"",
            "looks like ada@uchicago.edu",
        ),
        ("public_url = \"nonsense\"", "cannot be used"),
        (
            "[[limits]]\nnext = 1\nevery = 2",
            "either `next` or `every`",
        ),
        (
            "[[collections]]\nname = \"x\"\nroot = \".\"\ndomains = [\"anl.gov\"]\n\
             required_identities = [\"ada@anl.gov\"]",
            "either domains or identities",
        ),
        (
            "[[groups]]\nname = \"x\"\n[[groups]]\nname = \"x\"",
            "two groups have the id",
        ),
    ] {
        fs::write(&file, config).expect("a file");
        let rejected = ended(&["--config", path]);
        let said = String::from_utf8(rejected.stderr).expect("text");
        assert!(said.contains(reason), "{config}: {said}");
        assert_eq!(rejected.status.code(), Some(1), "{config}: {said}");
    }
    let both = ended(&["--config", path, "--mfa"]);
    assert_eq!(both.status.code(), Some(2));
}

#[cfg(unix)]
#[checks::test]
fn secret_with_special_characters_is_quoted() {
    let secret = "it's $HOME & more";
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("data")).expect("a directory");
    let file = directory.path().join("globus.toml");
    fs::write(&file, CONFIG.replace("xyzzy", secret)).expect("a file");
    let mut running = Running::start(&["--config", file.to_str().expect("text")]);
    let printed = &running.variables()["FAKE_GLOBUS_CLIENT_SECRET"];
    let shell = std::process::Command::new("sh")
        .args(["-c", &format!("export S={printed}; printf %s \"$S\"")])
        .output()
        .expect("sh runs");
    assert_eq!(String::from_utf8(shell.stdout).expect("text"), secret);
}

#[checks::test]
fn public_url_sets_the_ports_of_other_services() {
    let public = [
        "--public-url",
        "http://globus.test:8000",
        "--host",
        "127.0.0.1",
    ];
    let mut running = Running::start(&public);
    let variables = running.variables();
    for (name, url) in [
        ("AUTH", "http://globus.test:8000/"),
        ("TRANSFER", "http://globus.test:8000/"),
        ("GROUPS", "http://globus.test:8001/"),
        ("COMPUTE", "http://globus.test:8005/"),
    ] {
        assert_eq!(variables[&format!("GLOBUS_SDK_SERVICE_URL_{name}")], url);
    }
}
