//! The cost of a layer for a request that the service accepts, in process, over a service that
//! responds at once.
//!
//! The request has eight headers and a body of 1 KiB. It is built in the same way for all layers.

#![allow(missing_docs, unreachable_pub)]

mod services;

use checks::bench::bar::Bars;
use checks::bench::layers::Layers;
use services::{OWN, RETRY, RETRY_AND_HEADER, SESSION};

fn main() {
    let mut layers = Layers::count(services::all(), |run| {
        allocation_counter::measure(run).count_total
    });
    let mut bars = Bars::new("Bars: good path, in process");
    layers.at_most(&mut bars, "own credential", OWN, RETRY, 1.5);
    layers.at_most(
        &mut bars,
        "session's credential",
        SESSION,
        RETRY_AND_HEADER,
        1.4,
    );
    bars.settle();
    layers.print_times();
}
