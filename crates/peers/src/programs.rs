//! Builds the programs of this project that the tests run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `globus-ls`, and returns its path.
pub fn globus_ls() -> PathBuf {
    build(&["--package", "globus-ls"], "globus-ls")
}

/// Builds the example `job` of `globus-login`, and returns its path.
pub fn job() -> PathBuf {
    build(
        &["--package", "globus-login", "--example", "job"],
        "examples/job",
    )
}

/// Builds the example `gateway` of `globus-login`, and returns its path.
pub fn gateway() -> PathBuf {
    build(
        &["--package", "globus-login", "--example", "gateway"],
        "examples/gateway",
    )
}

fn build(target_options: &[&str], name: &str) -> PathBuf {
    let test = env::current_exe().expect("this test");
    let target = test.parent().and_then(Path::parent);
    let target = target.expect("a target directory");
    let is_release = target.ends_with("release");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet"])
        .args(target_options)
        .args(is_release.then_some("--release"))
        .current_dir(root)
        .arg("--target-dir")
        .arg(target.parent().expect("a target directory"))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build: {built}");
    target.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
