//! Instruction counts, which do not depend on the load of the machine.
//!
//! The bench runs itself again under callgrind, which writes a part each time [`mark`] is entered.
//! The part between two marks is the cost of one case.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Command;

use super::Case;

/// Tells a bench that it runs under callgrind.
const ARGUMENT: &str = "--count-instructions";

/// Keeps freed memory in the allocator's cache. Otherwise the allocator consolidates its lists at
/// times, and the case that runs then pays for all cases before it.
const TUNABLES: &str = "glibc.malloc.mxfast=0:glibc.malloc.tcache_count=65535";

/// Called before and after each case. Not inlined, since callgrind looks for the call: no bench that
/// counts instructions (`detection`, `good_path`, `connection`, `reqwest`, `bad_path`) works without.
#[inline(never)]
pub fn mark(name: &str) {
    std::hint::black_box(name);
}

/// The mean instructions of a run of each case; empty without valgrind.
///
/// Under callgrind this runs the cases and ends the program: a bench calls it once, with all its
/// cases.
pub fn count(cases: &mut [Case], runs: u32) -> BTreeMap<String, f64> {
    if std::env::args().any(|argument| argument == ARGUMENT) {
        run(cases, runs);
        std::process::exit(0);
    }
    // Each case ends two parts: the one before it, and its own.
    match parts(2 * cases.len()) {
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
        // Warm up, so that work that happens once is not counted.
        case.run();
        case.run();
        mark(&case.name);
        for _ in 0..runs {
            case.run();
        }
        mark(&case.name);
    }
}

/// Callgrind's total of each part. It is an error if there are not `count` parts with a total.
fn parts(count: usize) -> io::Result<Vec<u64>> {
    let directory = tempfile::tempdir()?;
    let out = directory.path().join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*instructions::mark*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .arg(ARGUMENT)
        .env("GLIBC_TUNABLES", TUNABLES)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(
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
        let total = total.and_then(|total| total.trim().parse().ok());
        let missing = || io::Error::other(format!("part {number} of callgrind has no total"));
        parts.push(total.ok_or_else(missing)?);
    }
    if parts.len() != count {
        let found = parts.len();
        let error = format!("callgrind wrote {found} parts, not {count}");
        return Err(io::Error::other(error));
    }
    Ok(parts)
}
