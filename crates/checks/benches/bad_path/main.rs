//! Many requests that are challenged together: one login, and then their replays.
//!
//! The same requests are written out by hand twice: `by hand` parses the challenge with `serde_json`, as a program does
//! that knows which document it may meet; `login + replays` does not look at it, and so is what no client can do without.
//! All of them send over one HTTP/2 connection, to a bare server in their own thread, where the share of the layer is
//! largest, and to `FakeGlobus` in a thread of its own. The clients take turns, so that the other load of the machine hits
//! them all; a ratio is the median of the ratios of the turns.

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
