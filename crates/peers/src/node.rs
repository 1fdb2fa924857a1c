//! Runs Node with the official JavaScript SDK.

use std::path::PathBuf;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of `crates/peers/node`.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(ROOT).join("node").join(name)
}

/// A file of the official SDK.
///
/// # Panics
///
/// If the SDK is not installed.
pub fn sdk(name: &str) -> PathBuf {
    let path = file("node_modules/@globus/sdk").join(name);
    assert!(
        path.exists(),
        "{} is missing. Install it: npm ci --prefix crates/peers/node",
        path.display(),
    );
    path
}

/// Node, without the `GLOBUS_*` and `NODE_*` variables of this process.
///
/// # Panics
///
/// If the SDK is not installed.
pub fn node() -> Command {
    sdk("package.json");
    let mut command = Command::new("node");
    let own = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("GLOBUS_") || name.starts_with("NODE_")
    });
    for (name, _) in own {
        command.env_remove(name);
    }
    command
}
