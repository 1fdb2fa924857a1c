//! The crates, bytes and compile time that the layer adds to a program, beside `reqwest-retry`.
//!
//! Builds small programs from scratch, each in its own directory.

#![allow(missing_docs, unreachable_pub)]

use std::fs;
use std::path::Path;
use std::process::Command;

use checks::bench::table;

/// The top of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The name, dependencies and code of each program. Every second program is compared with the
/// program before it.
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
    /// CPU time, which depends little on the load of the machine.
    seconds: f64,
}

fn build((name, dependencies, code): (&str, &str, &str)) -> Built {
    eprintln!("building: {name}");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let manifest = path.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"sized\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]{}\n[profile.release]\nstrip = true\n[workspace]\n",
        dependencies.replace("ROOT", ROOT)
    );
    fs::write(&manifest, text).expect("a manifest written");
    // The same versions as in the repository.
    let lock = Path::new(ROOT).join("Cargo.lock");
    fs::copy(lock, path.join("Cargo.lock")).expect("a lock file copied");
    fs::create_dir(path.join("src")).expect("a directory");
    fs::write(path.join("src/main.rs"), code).expect("a program written");
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
        .expect("bash");
    let output = String::from_utf8_lossy(&timed.stderr);
    assert!(timed.status.success(), "{output}");
    let last = output.trim().lines().last().unwrap_or_default();
    let seconds = last.split(' ').filter_map(|part| part.parse::<f64>().ok());
    Built {
        crates,
        bytes: fs::metadata(path.join("target/release/sized"))
            .expect("a program built")
            .len(),
        seconds: seconds.sum(),
    }
}

/// The number of crates in the tree of `manifest`, without the package itself.
fn crates(manifest: &Path, arguments: &[&str]) -> usize {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}",
        ])
        .args(arguments)
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .expect("cargo");
    let failure = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{failure}");
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
    let count = |name: &str, directory: &str, arguments: &[&str]| {
        let manifest = Path::new(ROOT).join(directory).join("Cargo.toml");
        vec![name.to_owned(), crates(&manifest, arguments).to_string()]
    };
    let mut rows = vec![count(
        "globus-gare, no feature",
        "",
        &["--no-default-features"],
    )];
    for feature in ["tracing", "follow-redirect", "reqwest"] {
        let arguments = ["--no-default-features", "--features", feature];
        rows.push(count(&format!("globus-gare, {feature}"), "", &arguments));
    }
    for member in ["globus-login", "fake-globus", "globus-ls"] {
        rows.push(count(member, &format!("crates/{member}"), &[]));
    }
    table::print("Crates in the tree", &["package", "crates"], &rows);
}
