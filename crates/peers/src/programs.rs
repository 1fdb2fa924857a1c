//! The programs of this project, built for the tests that run them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `globus-ls`, built by this call.
pub fn globus_ls() -> PathBuf {
    built(&["--package", "globus-ls"], "globus-ls")
}

/// The example `job` of `globus-login`, built by this call.
pub fn job() -> PathBuf {
    built(
        &["--package", "globus-login", "--example", "job"],
        "examples/job",
    )
}

/// The example `gateway` of `globus-login`, built by this call.
pub fn gateway() -> PathBuf {
    built(
        &["--package", "globus-login", "--example", "gateway"],
        "examples/gateway",
    )
}

fn built(what: &[&str], name: &str) -> PathBuf {
    let test = env::current_exe().expect("this test");
    let target = test.parent().and_then(Path::parent);
    let target = target.expect("a target directory");
    let is_release = target.ends_with("release");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet"])
        .args(what)
        .args(is_release.then_some("--release"))
        .current_dir(root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build: {built}");
    target.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
