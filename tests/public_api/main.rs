//! What the crate shows to others: which items, and which crates' types in them.
//!
//! Both are read from rustdoc's JSON, which a stable toolchain gives only when it is asked in a special way, so the tests
//! are left out of a plain `cargo test`. `.ci/run api` makes the JSON and runs them; `.ci/run api --bless` writes
//! `items.txt` anew.

mod walk;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use walk::{Api, Foreign};

/// Crates whose types, or whose traits for ours, are part of the API wherever they appear.
const ALLOWED: [&str; 10] = [
    "alloc",
    "core",
    "std",
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
const ALLOWED_IN: [(&str, &str); 6] = [
    // The bodies that people send; our implementations for them.
    ("http_body_util", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::layer::ReplayableBody"),
    ("reqwest", "globus_gare::reqwest"),
    ("reqwest_middleware", "globus_gare::reqwest"),
    // 2.x, and the type of a URL in every Rust program.
    ("url", "globus_gare::login"),
    // 1.x.
    ("uuid", "globus_gare::testing"),
];

fn api() -> Api {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = env::var_os("GLOBUS_GARE_RUSTDOC_JSON")
        .map_or_else(|| root.join("target/doc/globus_gare.json"), Into::into);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}. Make it: .ci/run api", path.display()));
    Api::of(&serde_json::from_str(&text).expect("rustdoc's JSON"))
}

#[test]
#[ignore = "needs rustdoc's JSON: .ci/run api"]
fn no_crate_may_break_us_that_is_not_meant_to() {
    let is_allowed = |foreign: &Foreign| {
        ALLOWED.contains(&foreign.krate.as_str())
            || ALLOWED_IN
                .iter()
                .any(|(krate, place)| foreign.krate == *krate && foreign.place.starts_with(place))
    };
    let api = api();
    let others: BTreeSet<_> = api.foreign.iter().filter(|f| !is_allowed(f)).collect();
    assert!(
        others.is_empty(),
        "these are part of the public API, so a new major version of their crate is one of ours: {others:#?}\n\
         Hide them, or allow the crate in tests/public_api/main.rs and say why."
    );
    // A walk that sees nothing allows everything.
    for krate in ["bytes", "http", "http_body_util", "tower_service", "uuid"] {
        assert!(api.foreign.iter().any(|f| f.krate == krate), "no {krate}");
    }
}

#[test]
#[ignore = "needs rustdoc's JSON: .ci/run api"]
fn the_items_are_those_that_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/public_api/items.txt");
    let items: String = api().items.iter().map(|item| format!("{item}\n")).collect();
    if env::var_os("GLOBUS_GARE_BLESS").is_some() {
        fs::write(&path, &items).expect("items.txt is written");
        return;
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let (now, before): (BTreeSet<&str>, BTreeSet<&str>) =
        (items.lines().collect(), listed.lines().collect());
    let gone: Vec<_> = before.difference(&now).collect();
    let new: Vec<_> = now.difference(&before).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public API has changed. Gone: {gone:#?}\nNew: {new:#?}\n\
         If that is meant: .ci/run api --bless, and tell of it in CHANGELOG.md."
    );
}
