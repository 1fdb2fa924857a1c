//! The items of the public API, and the crates whose types are in it.
//!
//! Both are read from rustdoc's JSON, which the tests generate first. `.ci/run api` runs these
//! tests alone; `.ci/run api --bless` writes the lists in `items` again.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use crate::rustdoc::{Api, Foreign};

/// Crates whose types may appear anywhere, and whose traits our types may implement.
const ALLOWED: [&str; 11] = [
    "alloc",
    "core",
    "std",
    // The companion crates use types of the middleware; all have one version.
    "globus_gare",
    // The types of an HTTP middleware: 1.x, or stable for years.
    "bytes",
    "http",
    "http_body",
    "tower_layer",
    "tower_service",
    // 1.x: `Serialize` and `Deserialize` of JSON documents.
    "serde_core",
    // In a bound of the `Unpin` implementation by `pin_project!`, which nobody can name.
    "pin_project_lite",
];

/// Crates that may appear in one place only.
const ALLOWED_IN: [(&str, &str); 10] = [
    // The macro that an implementation of `Reauthenticator` needs; 0.1 since 2019.
    ("async_trait", "globus_gare::async_trait"),
    // Common body types, for which we implement a trait.
    ("http_body_util", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::reqwest"),
    ("reqwest_middleware", "globus_gare::reqwest"),
    // Parts of an axum router, with the feature `web`. 0.8 since 2025.
    ("axum", "globus_login::web"),
    ("axum_core", "globus_login::web"),
    // 2.x, the common URL type.
    ("url", "globus_login"),
    ("url", "fake_globus"),
    // 1.x.
    ("uuid", "fake_globus"),
];

/// The published library crates.
const CRATES: [&str; 3] = ["globus-gare", "globus-login", "fake-globus"];

/// The APIs with all features, shared by both tests.
static APIS: LazyLock<Vec<(&str, Api)>> = LazyLock::new(|| CRATES.map(read).into());

fn read(krate: &'static str) -> (&'static str, Api) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Only rustdoc gets `RUSTC_BOOTSTRAP`, which its JSON needs on a stable toolchain. With it on
    // the compiler, too, cargo would build every dependency again.
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

// The limits include a build of the dependencies.
#[checks::test(seconds = 3600)]
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
        "these types are in the public API, so that a new major version of their crate forces one of \
         ours: {others:#?}\n\
         Hide them, or allow the crate in crates/checks/tests/surface/public_api.rs with a reason."
    );
    // A walk that finds nothing would allow everything.
    for krate in ["bytes", "http", "http_body_util", "tower_service", "uuid"] {
        assert!(foreign().any(|f| f.krate == krate), "no {krate}");
    }
}

#[checks::test(seconds = 3600)]
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
         If this is intended: .ci/run api --bless, and describe it in CHANGELOG.md."
    );
}
