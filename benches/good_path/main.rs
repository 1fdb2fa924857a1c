//! What a layer adds to a request that is let in, in process: over a service that answers at once.
//!
//! The request has eight headers and a body of 1 KiB, made in the same way for all. What is reported of each layer is what
//! it adds to the same request without it.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod peers;
mod probe;

fn main() {
    let count = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    checks::bench::peer::report("good_path", &peers::all(), count);
}
