//! What it costs that many requests are refused together: one login, and then their replays.
//!
//! The login takes 50 ms. The server is a real one, in the same thread.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod contention;
#[path = "../kit/mod.rs"]
#[allow(dead_code)]
mod kit;
#[path = "../kit/server.rs"]
mod server;
mod waiting;

fn main() {
    waiting::report();
    contention::report();
}
