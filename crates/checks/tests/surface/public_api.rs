//! What the crate shows to others: which items, and which crates' types in them.
//!
//! Both are read from rustdoc's JSON, which the tests make first. `.ci/run api` runs them alone; `.ci/run api --bless`
//! writes the lists in `items` anew.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use crate::rustdoc::{Api, Foreign};

/// Crates whose types, or whose traits for ours, are part of the API wherever they appear.
const ALLOWED: [&str; 11] = [
    "alloc",
    "core",
    "std",
    // The companions show types of the middleware; all have one version.
    "globus_gare",
    // What an HTTP middleware is made of: 1.x, or fixed points of the ecosystem.
    "bytes",
    "http",
    "http_body",
    "tower_layer",
    "tower_service",
    // 1.x: `Serialize` and `Deserialize` for a document that is JSON.
    "serde_core",
    // In a bound of the `Unpin` that `pin_project!` writes. Nobody can name it.
    "pin_project_lite",
];

/// Crates that may appear in one place, and no other.
const ALLOWED_IN: [(&str, &str); 10] = [
    // The macro that an implementation of `Reauthenticator` needs; 0.1 since 2019.
    ("async_trait", "globus_gare::async_trait"),
    // The bodies that people send; our implementations for them.
    ("http_body_util", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::reqwest"),
    ("reqwest_middleware", "globus_gare::reqwest"),
    // Parts of an axum router, for those who turn the feature `web` on. 0.8 since 2025.
    ("axum", "globus_login::web"),
    ("axum_core", "globus_login::web"),
    // 2.x, and the type of a URL in every Rust program.
    ("url", "globus_login"),
    ("url", "fake_globus"),
    // 1.x.
    ("uuid", "fake_globus"),
];

/// The library crates that are published.
const CRATES: [&str; 3] = ["globus-gare", "globus-login", "fake-globus"];

/// The crates as rustdoc sees them with all features. Both tests read the same.
static APIS: LazyLock<Vec<(&str, Api)>> = LazyLock::new(|| CRATES.map(read).into());

fn read(krate: &'static str) -> (&'static str, Api) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // A stable toolchain writes JSON only when it is asked so; the compiler itself
    // is not, or it would build every dependency anew.
    let rustdoc = scratch.join("unstable-rustdoc");
    fs::write(
        &rustdoc,
        "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n",
    )
    .expect("a script");
    fs::set_permissions(&rustdoc, Permissions::from_mode(0o755)).expect("a program");
    let target = scratch.parent().expect("the target folder");
    let done = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--lib", "--all-features"])
        .args(["--package", krate])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTDOC", &rustdoc)
        .status()
        .expect("cargo runs");
    assert!(done.success(), "rustdoc failed: {done}");
    let file = format!("doc/{}.json", krate.replace('-', "_"));
    let json = fs::read_to_string(target.join(file)).expect("rustdoc's JSON");
    (
        krate,
        Api::of(&serde_json::from_str(&json).expect("rustdoc's JSON")),
    )
}

#[checks::test(seconds = 600)]
fn public_api_names_only_the_allowed_crates() {
    let is_allowed = |foreign: &Foreign| {
        ALLOWED.contains(&foreign.krate.as_str())
            || ALLOWED_IN
                .iter()
                .any(|(krate, place)| foreign.krate == *krate && foreign.place.starts_with(place))
    };
    let foreign = || APIS.iter().flat_map(|(_, api)| &api.foreign);
    let others: BTreeSet<_> = foreign().filter(|f| !is_allowed(f)).collect();
    assert!(
        others.is_empty(),
        "these are part of the public API, so a new major version of their crate is one of ours: {others:#?}\n\
         Hide them, or allow the crate in crates/checks/tests/surface/public_api.rs and say why."
    );
    // A walk that sees nothing allows everything.
    for krate in ["bytes", "http", "http_body_util", "tower_service", "uuid"] {
        assert!(foreign().any(|f| f.krate == krate), "no {krate}");
    }
}

#[checks::test(seconds = 600)]
fn public_items_match_the_lists() {
    for (krate, api) in &*APIS {
        compare(krate, api);
    }
}

fn compare(krate: &str, api: &Api) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/surface/items");
    let path = folder.join(format!("{krate}.txt"));
    let items: String = api.items.iter().map(|item| format!("{item}\n")).collect();
    if env::var_os("GLOBUS_GARE_BLESS").is_some() {
        fs::write(&path, &items).expect("the list is written");
        return;
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let (now, before): (BTreeSet<&str>, BTreeSet<&str>) =
        (items.lines().collect(), listed.lines().collect());
    let gone: Vec<_> = before.difference(&now).collect();
    let new: Vec<_> = now.difference(&before).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public API of {krate} has changed. Gone: {gone:#?}\nNew: {new:#?}\n\
         If that is meant: .ci/run api --bless, and tell of it in CHANGELOG.md."
    );
}
