//! What a program takes on with the layer: crates, bytes, and work for the compiler, beside `reqwest-retry`.
//!
//! Builds small programs from scratch, each in a directory of its own.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use checks::bench::table;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Name, dependencies and code of each program; the first two are what the others are added to.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("tower and tokio alone", TOWER, include_str!("tower.rs")),
    (
        "globus-gare, without features",
        LAYER,
        include_str!("layer.rs"),
    ),
    ("reqwest alone", REQWEST, include_str!("reqwest.rs")),
    ("reqwest-retry", RETRY, include_str!("retry.rs")),
];

const TOWER: &str = r#"
bytes = "1"
http = "1"
http-body-util = "0.1"
tokio = { version = "1", features = ["rt", "time"] }
tower = { version = "0.5", features = ["util"] }
"#;

const LAYER: &str = r#"
bytes = "1"
globus-gare = { path = "ROOT", default-features = false }
http = "1"
http-body-util = "0.1"
tokio = { version = "1", features = ["rt", "time"] }
tower = { version = "0.5", features = ["util"] }
"#;

const REQWEST: &str = r#"
reqwest = { version = "0.13", default-features = false }
tokio = { version = "1", features = ["rt", "time"] }
"#;

const RETRY: &str = r#"
reqwest = { version = "0.13", default-features = false }
reqwest-middleware = "0.5"
reqwest-retry = "0.9"
tokio = { version = "1", features = ["rt", "time"] }
"#;

struct Built {
    crates: usize,
    bytes: u64,
    /// Of the processor, so that what else the machine does matters little.
    seconds: f64,
}

fn build((name, dependencies, code): (&str, &str, &str)) -> Built {
    eprintln!("building: {name}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let manifest = path.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"sized\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]{}\n[profile.release]\nstrip = true\n[workspace]\n",
        dependencies.replace("ROOT", ROOT)
    );
    fs::write(&manifest, text).unwrap();
    // The same versions as everywhere.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), path.join("Cargo.lock")).unwrap();
    fs::create_dir(path.join("src")).unwrap();
    fs::write(path.join("src/main.rs"), code).unwrap();
    let crates = crates(&manifest, &[]);
    let timed = Command::new("bash")
        .args([
            "-c",
            "TIMEFORMAT='%U %S'; time \"$CARGO\" build --quiet --release",
        ])
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", path.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(path)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&timed.stderr);
    assert!(timed.status.success(), "{told}");
    let last = told.trim().lines().last().unwrap_or_default();
    let seconds = last.split(' ').filter_map(|part| part.parse::<f64>().ok());
    Built {
        crates,
        bytes: fs::metadata(path.join("target/release/sized"))
            .unwrap()
            .len(),
        seconds: seconds.sum(),
    }
}

/// The crates in the tree of `manifest`, itself not among them.
fn crates(manifest: &Path, arguments: &[&str]) -> usize {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}",
        ])
        .args(arguments)
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut crates: Vec<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    crates.sort_unstable();
    crates.dedup();
    crates
        .iter()
        .filter(|name| !name.is_empty())
        .count()
        .saturating_sub(1)
}

fn main() {
    let built = PROGRAMS.map(build);
    let rows = [1, 3].map(|at| {
        let (own, base) = (&built[at], &built[at - 1]);
        vec![
            PROGRAMS[at].0.to_owned(),
            own.crates.to_string(),
            table::added(own.crates as f64 - base.crates as f64),
            format!(
                "{} KiB",
                table::added((own.bytes as f64 - base.bytes as f64) / 1024.0)
            ),
            format!("{} KiB", table::whole(own.bytes as f64 / 1024.0)),
            format!("{:.1} s", own.seconds),
            format!("{:+.1} s", own.seconds - base.seconds),
        ]
    });
    table::print(
        "Size, over the same program without it",
        &[
            "program with",
            "crates",
            "crates added",
            "binary added",
            "binary in all",
            "compiling, in all",
            "compiling added",
        ],
        &rows,
    );
    let manifest = Path::new(ROOT).join("Cargo.toml");
    let features = [
        "",
        "tracing",
        "follow-redirect",
        "reqwest",
        "login",
        "testing",
    ]
    .map(|feature| {
        let crates = crates(&manifest, &["--no-default-features", "--features", feature]);
        let name = if feature.is_empty() { "none" } else { feature };
        vec![name.to_owned(), crates.to_string()]
    });
    table::print(
        "Crates in the tree, for each feature",
        &["feature", "crates"],
        &features,
    );
}
