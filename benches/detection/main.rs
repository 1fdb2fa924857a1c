//! The cost of detection in a response body.

#![allow(missing_docs, unreachable_pub)]

mod bodies;
mod sdks;

use std::hint::black_box;

use bodies::{Body, HTML, LONG, ORDINARY, PLAIN, TRANSFER};
use checks::bench::bar::Bars;
use checks::bench::bar::Limit::Count;
use checks::bench::cost::{Cost, Costs};
use checks::bench::{Case, table, time};
use globus_gare::gare::detect;
use serde::de::IgnoredAny;
use serde_json::Value;

const OURS: &str = "detect";
const VALUE: &str = "serde_json::Value";
const IGNORED: &str = "IgnoredAny";
const WAYS: [&str; 3] = [OURS, VALUE, IGNORED];

fn main() {
    let bodies = bodies::all();
    let mut cases: Vec<Case> = bodies.iter().flat_map(cases).collect();
    let costs = Costs::count(&mut cases, 4, |run| {
        allocation_counter::measure(run).count_total
    });
    bars(&costs).settle();
    print_times(&bodies, &mut cases);
}

fn bars(costs: &Costs) -> Bars {
    let ours = |body| costs.of(&name(body, OURS));
    let value = |body| (VALUE, costs.of(&name(body, VALUE)));
    let ignored = |body| -> (_, Cost) { (IGNORED, costs.of(&name(body, IGNORED))) };

    let mut bars = Bars::new("Bars: detection");
    for body in [TRANSFER, PLAIN] {
        bars.both(body, ours(body), value(body), 2.5);
    }
    for body in [ORDINARY, HTML, LONG] {
        bars.allocations(body, ours(body), value(body), Count(0.0));
    }
    bars.instructions(LONG, ours(LONG), ignored(LONG), 0.25);
    bars
}

fn cases(body: &Body) -> [Case; 3] {
    let has_gare = [TRANSFER, PLAIN].contains(&body.name);
    assert_eq!(!detect(&body.bytes).is_empty(), has_gare, "{}", body.name);
    let (ours, value, ignored) = (body.bytes.clone(), body.bytes.clone(), body.bytes.clone());
    [
        Case::new(name(body.name, OURS), move || detect(black_box(&ours))),
        Case::new(name(body.name, VALUE), move || {
            serde_json::from_slice::<Value>(black_box(&value)).ok()
        }),
        Case::new(name(body.name, IGNORED), move || {
            serde_json::from_slice::<IgnoredAny>(black_box(&ignored)).ok()
        }),
    ]
}

fn name(body: &str, way: &str) -> String {
    format!("{body}, {way}")
}

fn print_times(bodies: &[Body], cases: &mut [Case]) {
    // Only the bodies with a GARE.
    let sdks = [sdks::python(&bodies[..2]), sdks::javascript(&bodies[..2])];
    let mut rows = Vec::new();
    for (at, (body, cases)) in bodies.iter().zip(cases.chunks_mut(WAYS.len())).enumerate() {
        let times = time::interleaved(&mut cases.iter_mut().collect::<Vec<_>>());
        let mut row = vec![
            format!(
                "{}, {} bytes",
                body.name,
                table::whole(body.bytes.len() as f64)
            ),
            times[0].spread(),
        ];
        row.extend(times.iter().map(|time| table::duration(time.median)));
        row.extend(sdks.iter().map(|times| {
            times
                .get(at)
                .map_or_else(|| "-".into(), |seconds| table::duration(seconds * 1e9))
        }));
        rows.push(row);
    }
    table::print(
        "Time of detection in a body",
        &[
            "body",
            "half of the samples",
            OURS,
            VALUE,
            IGNORED,
            "Python SDK",
            "JavaScript SDK",
        ],
        &rows,
    );
}
