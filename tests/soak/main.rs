//! The soak: a very long day of a client's work, squeezed into minutes by `FakeGlobus`' clock.
//!
//! Some 256 requests are under way at any time, of many users, through both adapters, while sessions run out, consents
//! are withdrawn, logins are declined, fail, hang and panic, the service fails in bursts, connections are reset, and
//! callers leave. At the end, every request has had one answer or an error that was made for it; none was carried out
//! twice; no task and no file descriptor is left, and no more memory than before.
//!
//! As an ordinary test it is short. `.ci/run soak [REQUESTS]` runs a long one, and prints the figures.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod day;
mod errand;
mod gate;
mod judge;
mod ledger;
mod logins;
mod vitals;

#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// How many requests there are where nobody says how many.
const SHORT: u32 = 5_000;

#[checks::test(seconds = 600)]
fn soak_loses_no_request_and_leaks_nothing() {
    let requests = match std::env::var("SOAK_REQUESTS") {
        Ok(number) => number.parse().expect("SOAK_REQUESTS is a number"),
        Err(_) => SHORT,
    };
    // What tokio opens once and keeps is open by then.
    drop(day::runtime("first"));
    let (before, heap) = (vitals::descriptors(), vitals::heap());
    let day = day::live_through(requests);
    let report = judge::Report {
        descriptors: (before, vitals::descriptors()),
        heap: (heap, vitals::heap()),
        day,
    };
    report.print();
    let faults = report.faults();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
