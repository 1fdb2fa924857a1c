//! Many requests that are challenged together: one login, then the replays.
//!
//! Two clients do the same work by hand. `by hand` parses the challenge with `serde_json`, as a
//! program does that knows the documents of its service. `login + replays` does not parse it: this
//! is the least that any client has to do. All clients send over one HTTP/2 connection: to a bare
//! server in their own thread, where the share of the layer is largest, and to `FakeGlobus` in its
//! own thread. The clients take turns, so that the load of the machine affects all of them; a ratio
//! is the median of the ratios of the turns.

#![allow(missing_docs, unreachable_pub)]

mod batch;
mod clients;
mod kinds;
mod measure;
mod places;
mod waiting;

use checks::bench::Case;
use checks::bench::bar::Bars;
use checks::bench::cost::Costs;

fn main() {
    let mut cases: Vec<Case> = kinds::cases().into_iter().chain(waiting::cases()).collect();
    let costs = Costs::count(&mut cases, 1, |run| {
        allocation_counter::measure(run).count_total
    });
    let mut bars = Bars::new("Bars: waiters");
    kinds::bars(&mut bars, &costs);
    waiting::bars(&mut bars, &costs);
    bars.settle();
    waiting::print_times();
}
