//! Instruction counts: they do not depend on what else the machine does, so a guard can hold them.
//!
//! The bench runs itself once more under callgrind, which writes a part each time [`mark`] is entered; the part between
//! two marks is what one case cost.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::Case;

/// Tells a bench that it is the one under callgrind.
const ARGUMENT: &str = "--count-instructions";

/// What is freed is kept at hand for the next that needs as much. Otherwise the allocator tidies up every now and then, and
/// whoever comes just then pays for what all before have left.
const AT_HAND: &str = "glibc.malloc.mxfast=0:glibc.malloc.tcache_count=65535";

/// Entered before and after each case.
#[inline(never)]
pub fn mark(name: &str) {
    std::hint::black_box(name);
}

/// Instructions of one run of each case; nothing where there is no valgrind.
///
/// Under callgrind this runs the cases and does not return.
pub fn count(cases: &mut [Case], runs: u32) -> BTreeMap<String, f64> {
    if std::env::args().any(|argument| argument == ARGUMENT) {
        run(cases, runs);
        std::process::exit(0);
    }
    match parts() {
        Ok(parts) => cases
            .iter()
            .zip(parts.iter().skip(1).step_by(2))
            .map(|(case, part)| (case.name.clone(), *part as f64 / f64::from(runs)))
            .collect(),
        Err(error) => {
            eprintln!("no instruction counts: {error} (is valgrind installed?)");
            BTreeMap::new()
        }
    }
}

fn run(cases: &mut [Case], runs: u32) {
    for case in cases {
        // What is made only once is not counted.
        case.run();
        case.run();
        mark(&case.name);
        for _ in 0..runs {
            case.run();
        }
        mark(&case.name);
    }
}

/// What callgrind counted in each part.
fn parts() -> std::io::Result<Vec<u64>> {
    let directory = tempfile::tempdir()?;
    let out = directory.path().join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*instructions::mark*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .arg(ARGUMENT)
        .env("GLIBC_TUNABLES", AT_HAND)
        .output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    let mut parts = Vec::new();
    for number in 1.. {
        let Ok(part) = fs::read_to_string(directory.path().join(format!("out.{number}"))) else {
            break;
        };
        let total = part.lines().rev().find_map(|line| {
            line.strip_prefix("totals: ")
                .or(line.strip_prefix("summary: "))
        });
        parts.push(
            total
                .and_then(|total| total.trim().parse().ok())
                .unwrap_or(0),
        );
    }
    Ok(parts)
}
