//! What it costs to look for a requirement in a response body.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod bodies;
use std::hint::black_box;
use std::process::Command;

use checks::bench::{Case, guard, instructions, table, time};
use globus_gare::gare::detect;
use memchr::memmem::Finder;
use serde::de::IgnoredAny;
use serde_json::Value;

const WAYS: [&str; 4] = ["ours", "IgnoredAny", "Value", "memmem"];

fn cases(body: &bodies::Body) -> [Case; 4] {
    let name = |way: &str| format!("{} / {way}", body.name);
    let text = || body.bytes.clone();
    let (ours, ignored, value, search) = (text(), text(), text(), text());
    let finder = Finder::new("GridFTP-JSON-Result:");
    [
        Case::new(name(WAYS[0]), move || detect(black_box(&ours))),
        Case::new(name(WAYS[1]), move || {
            serde_json::from_slice::<IgnoredAny>(black_box(&ignored)).ok()
        }),
        Case::new(name(WAYS[2]), move || {
            serde_json::from_slice::<Value>(black_box(&value)).ok()
        }),
        Case::new(name(WAYS[3]), move || {
            finder.find_iter(black_box(&search)).count()
        }),
    ]
}

fn main() {
    let bodies = bodies::all();
    let mut cases: Vec<Case> = bodies.iter().flat_map(cases).collect();
    let instructions = instructions::count(&mut cases, 4);
    let counts = || {
        let ours = cases.iter_mut().step_by(WAYS.len());
        ours.filter_map(|case| {
            let instructions = *instructions.get(&case.name)?;
            Some((
                case.name.clone(),
                (instructions, case.allocations(count) as i64),
            ))
        })
        .collect()
    };
    if guard::was_asked("detection", counts) {
        return;
    }
    let python = python(&bodies);
    let mut rows = Vec::new();
    for (body, cases) in bodies.iter().zip(cases.chunks_mut(WAYS.len())) {
        let mut cases: Vec<&mut Case> = cases.iter_mut().collect();
        let times = time::interleaved(&mut cases);
        for ((way, case), nanoseconds) in WAYS.iter().zip(cases).zip(times) {
            let rate = body.bytes.len() as f64 / nanoseconds;
            rows.push(vec![
                format!("{}, {} bytes", body.name, body.bytes.len()),
                (*way).to_owned(),
                table::duration(nanoseconds),
                format!("{rate:.2}"),
                instructions
                    .get(&case.name)
                    .map_or("-".into(), |count| table::whole(*count)),
                case.allocations(count).to_string(),
            ]);
        }
        if let Some((_, seconds)) = python.iter().find(|(name, _)| *name == body.name) {
            let rate = body.bytes.len() as f64 / seconds / 1e9;
            let name = format!("{}, {} bytes", body.name, body.bytes.len());
            let took = table::duration(seconds * 1e9);
            rows.push(vec![
                name,
                "Python".into(),
                took,
                format!("{rate:.3}"),
                "-".into(),
                "-".into(),
            ]);
        }
    }
    table::print(
        "Detection",
        &[
            "body",
            "way",
            "median",
            "GB/s",
            "instructions",
            "allocations",
        ],
        &rows,
    );
}

/// Seconds that the Python SDK takes for the bodies with a requirement, where it is installed.
fn python(bodies: &[bodies::Body]) -> Vec<(&'static str, f64)> {
    let python = std::env::var("GLOBUS_GARE_PYTHON").unwrap_or_else(|_| ".venv/bin/python".into());
    let directory = tempfile::tempdir().expect("a directory for the bodies");
    let mut command = Command::new(python);
    command.arg("benches/detection/python.py");
    let with_gare = &bodies[..2];
    for (number, body) in with_gare.iter().enumerate() {
        let path = directory.path().join(number.to_string());
        std::fs::write(&path, &body.bytes).expect("a body written");
        command.arg(path);
    }
    let Some(output) = command
        .output()
        .ok()
        .filter(|output| output.status.success())
    else {
        eprintln!("no figures of Python: install globus-sdk and set GLOBUS_GARE_PYTHON");
        return Vec::new();
    };
    let seconds = String::from_utf8_lossy(&output.stdout);
    let seconds = seconds.lines().filter_map(|line| line.parse().ok());
    with_gare
        .iter()
        .map(|body| body.name)
        .zip(seconds)
        .collect()
}

/// Allocations of a call.
fn count(run: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(run).count_total
}
