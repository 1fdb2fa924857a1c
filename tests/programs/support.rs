//! Finds the programs of the examples.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The path of an example. Builds it, if `cargo test` was told to build only these tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("target/<profile>/deps");
    let program = profile
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let release = profile.ends_with("release").then_some("--release");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--example", name])
            .args(release)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg("--target-dir")
            .arg(profile.parent().expect("target"));
        let built = cargo.status().expect("cargo runs");
        assert!(built.success(), "{name} does not build");
    }
    program
}
