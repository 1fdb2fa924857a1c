//! Instruction counts, which do not depend on what else the machine does.
//!
//! The bench runs itself once more under callgrind, which writes a part each time [`mark`] is entered. The part between
//! two marks is the cost of one case.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::Case;

/// Tells a bench that it runs under callgrind.
const ARGUMENT: &str = "--count-instructions";

/// Keeps freed memory in the allocator's cache. Otherwise the allocator consolidates its lists now and then, and the case
/// that runs at that moment pays for all cases before it.
const AT_HAND: &str = "glibc.malloc.mxfast=0:glibc.malloc.tcache_count=65535";

/// Entered before and after each case. Callgrind watches for the call, so it is never inlined.
#[inline(never)]
pub fn mark(name: &str) {
    std::hint::black_box(name);
}

/// Mean instructions of one of `runs` of each case; empty without valgrind.
///
/// Under callgrind this runs the cases and ends the program, so a bench calls it once, with all its cases.
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
        // Work that happens only once is not counted.
        case.run();
        case.run();
        mark(&case.name);
        for _ in 0..runs {
            case.run();
        }
        mark(&case.name);
    }
}

/// Callgrind's total of each part.
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
