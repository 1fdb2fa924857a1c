//! What the deciding needs of the world: tasks, time and locks.
//!
//! It is all in one place so that a model checker can stand in for it: the
//! tests compile the deciding a second time over another module of this name.

use std::future::Future;
use std::time::Duration;

pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwap;

use tokio::runtime::Handle;
use tokio::time::Instant;

tokio::task_local! {
    static ABOARD: ();
}

/// Runs `future` in a task of its own, or drops it where there is no runtime.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(future));
    }
}

/// `future`'s output, or `None` once `limit` has passed.
pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}

/// `future`'s output, or `None` at `deadline`.
pub(crate) async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    tokio::time::timeout_at(deadline, future).await.ok()
}

/// Marks all that `future` does, so that [`is_aboard`] knows it.
pub(crate) async fn aboard<F: Future>(future: F) -> F::Output {
    ABOARD.scope((), future).await
}

/// Whether the code that asks runs inside [`aboard`].
pub(crate) fn is_aboard() -> bool {
    ABOARD.try_with(|()| ()).is_ok()
}
