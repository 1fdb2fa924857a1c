//! Very many users at once. The allocations of each show whether a table is copied. A walk through
//! a table would not show; the tables are a hash map of accounts and a B-tree of idle ones, of
//! which only the first entry is read.

use std::sync::Arc;

use allocation_counter::measure;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, Principal, Session, reauth_fn};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;

use checks::mock::{MFA, answer, authorization, behind, get, responses, spawn, with};

/// Logs in as many users, all in use at once. Returns the allocated bytes.
fn log_in(users: usize) -> u64 {
    let allocated = measure(|| {
        let gate = Arc::new(Semaphore::new(0));
        let login_gate = Arc::clone(&gate);
        let session = Session::new(reauth_fn(move |challenge| {
            let gate = Arc::clone(&login_gate);
            async move {
                gate.acquire().await.expect("open").forget();
                match challenge.target().principal() {
                    Principal::Named(user) => Ok(Credential::bearer(&**user)?),
                    other => panic!("{other:?}"),
                }
            }
        }));
        let layer = GareLayer::from_session(session.clone());
        let client = behind(&layer, |request| match authorization(&request) {
            "" => answer(403, MFA),
            _ => answer(200, ""),
        });
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let of = |user: usize| with(get("/"), GareOptions::new().principal(user.to_string()));
            let all: Vec<_> = (0..users).map(|user| spawn(&client, of(user))).collect();
            while session.stats().logins < users as u64 {
                tokio::task::yield_now().await;
            }
            assert_eq!(session.stats().principals, users as u64);
            gate.add_permits(users);
            for response in responses(all).await {
                assert_eq!(response.status(), 200);
            }
        });
    });
    allocated.bytes_total
}

#[checks::test]
fn accounts_in_use_at_once_cost_the_same_each() {
    // Both numbers fill the tables to the same degree.
    let (few, many) = (log_in(1_024) / 1_024, log_in(16_384) / 16_384);
    println!("{few} and {many} bytes each");
    assert!(many <= few + few / 10, "{many} bytes each instead of {few}");
}
