//! The soak: very many requests, in rounds, while `FakeGlobus`' clock advances by ten hours at a
//! time.
//!
//! 256 requests are under way at any time, of many users, through all adapters. Sessions expire,
//! consents are revoked, logins are declined, fail, hang and panic, the service fails in bursts,
//! connections are reset, and callers drop requests. In the end, every request has had one response
//! or an error with a known cause; none was carried out twice; no task and no file descriptor is
//! left, and no more memory is in use than before.
//!
//! As an ordinary test it is short. `.ci/nightly soak [REQUESTS]` runs a long one, and prints the
//! figures.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod ledger;
mod logins;
mod plan;
mod proxy;
mod report;
mod run;
mod usage;

#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// The default number of requests.
const SHORT: u32 = 5_000;

#[checks::test(seconds = 600)]
fn soak_loses_no_request_and_leaks_nothing() {
    let requests = match std::env::var("SOAK_REQUESTS") {
        Ok(number) => number.parse().expect("SOAK_REQUESTS is a number"),
        Err(_) => SHORT,
    };
    // The first runtime opens descriptors that tokio keeps.
    drop(run::runtime("first"));
    let (before, heap) = (usage::descriptors(), usage::heap());
    let results = run::send_requests(requests);
    let report = report::Report {
        descriptors: (before, usage::descriptors()),
        heap: (heap, usage::heap()),
        results,
    };
    report.print();
    let faults = report.faults();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
