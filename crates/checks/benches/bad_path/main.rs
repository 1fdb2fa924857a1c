//! What it costs that many requests are refused together: one login, and then their replays.
//!
//! The login takes 50 ms. The layer is held against the same requests written out by hand, twice: with the refusal parsed
//! by `serde_json`, as programs do today that know which document they may meet, and without looking into it, which
//! leaves nothing but the login and the exchanges themselves. All of them send over one HTTP/2 connection, once to a bare
//! server in their own thread, where the layer's share is largest, and once to `FakeGlobus` in a thread of its own. The
//! clients take turns, so that whatever else the machine does hits them all; ratios are medians of the ratios of a turn.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod batch;
mod clients;
mod contention;
mod kinds;
mod measure;
mod places;
mod waiting;

fn main() {
    waiting::report();
    kinds::report();
    contention::report();
}
