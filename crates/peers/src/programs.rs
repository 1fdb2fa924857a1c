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

fn built(what: &[&str], name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet"])
        .args(what)
        .current_dir(root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build: {built}");
    let test = env::current_exe().expect("this test");
    let target = test.parent().and_then(Path::parent);
    target
        .expect("a target directory")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
