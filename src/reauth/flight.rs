//! A run of the reauthenticator, detached from everybody who waits for it.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::ReauthError;
use super::landing::{Beacon, Landed};
use crate::runtime;

/// Runs `work` in a task of its own for at most `limit`, and ends with exactly
/// one call of `land`, whatever becomes of it: done, failed, panicked, timed
/// out, or dropped with its runtime.
///
/// `land` takes the slot's lock: do not hold it here.
pub(super) fn launch<T, W, L>(limit: Duration, beacon: Beacon, work: W, land: L)
where
    T: Send + 'static,
    W: Future<Output = Result<T, ReauthError>> + Send + 'static,
    L: FnOnce(Result<T, ReauthError>) -> Landed + Send + 'static,
{
    let lander = Lander {
        land: Some((land, beacon)),
        result: Some(Err(ReauthError::no_runtime())),
    };
    runtime::spawn(runtime::aboard(async move {
        lander.land(contained(limit, work).await);
    }));
}

/// Lands the flight when it is dropped, which cannot be forgotten.
struct Lander<T, L: FnOnce(Result<T, ReauthError>) -> Landed> {
    land: Option<(L, Beacon)>,
    result: Option<Result<T, ReauthError>>,
}

impl<T, L: FnOnce(Result<T, ReauthError>) -> Landed> Lander<T, L> {
    fn land(mut self, result: Result<T, ReauthError>) {
        self.result = Some(result);
    }
}

impl<T, L: FnOnce(Result<T, ReauthError>) -> Landed> Drop for Lander<T, L> {
    fn drop(&mut self) {
        if let (Some((land, beacon)), Some(result)) = (self.land.take(), self.result.take()) {
            // The slot first, then those who wait: who hears of it finds it done.
            beacon.tell(land(result));
        }
    }
}

/// `work` with its time limited, and a panic made an error.
async fn contained<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ReauthError>>,
) -> Result<T, ReauthError> {
    let mut work = pin!(runtime::timeout(limit, work));
    let ended = poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            // A future that panicked is not polled again: this one ends here.
            Err(_) => Poll::Ready(None),
        },
    );
    match ended.await {
        Some(Some(result)) => result,
        Some(None) => Err(ReauthError::timeout()),
        None => Err(ReauthError::panicked()),
    }
}
