//! What it costs that many requests are refused together: one login, and then their replays.
//!
//! The login takes 50 ms. The service is in process, so that what is measured is the layer and not the network.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod contention;
#[path = "../kit/mod.rs"]
#[allow(dead_code)]
mod kit;
mod waiting;

fn main() {
    waiting::report();
    contention::report();
}
