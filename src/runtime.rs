//! What the deciding needs of the world: tasks, time and locks.
//!
//! It is all in one place so that a model checker can stand in for it: the
//! tests compile the deciding a second time over another module of this name.

use std::future::Future;
use std::time::Duration;

use std::sync::atomic::{AtomicUsize, Ordering};
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
    let _passage = Passage::begin();
    ABOARD.scope((), future).await
}

/// How many are inside [`aboard`]. Mostly none is, which takes less to see than that this task is not.
static PASSAGES: AtomicUsize = AtomicUsize::new(0);

struct Passage;

impl Passage {
    fn begin() -> Self {
        PASSAGES.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        PASSAGES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether the code that asks runs inside [`aboard`].
#[inline]
pub(crate) fn is_aboard() -> bool {
    // Whoever is aboard has counted itself before.
    PASSAGES.load(Ordering::Relaxed) > 0 && is_task_aboard()
}

#[cold]
fn is_task_aboard() -> bool {
    ABOARD.try_with(|()| ()).is_ok()
}
