//! The world of the deciding, as the model checker plays it: every lock is a
//! point where another task may go first, and an alarm may ring at any time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use shuttle::rand::Rng;
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// What is replaced as a whole: to look at it is a point where another task may go first, as is to replace it.
#[derive(Debug, Default)]
pub(crate) struct ArcSwap<T>(std::sync::Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub(crate) fn load(&self) -> Arc<T> {
        may_be_overtaken();
        let now = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // Another may be in its place before anything is done with it.
        may_be_overtaken();
        now
    }

    pub(crate) fn store(&self, new: Arc<T>) {
        may_be_overtaken();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

/// A lock is a point where another task may go first, whatever is behind it.
fn may_be_overtaken() {
    if EXPLORING.get() {
        drop(Mutex::new(()).lock());
    }
}

thread_local! {
    /// Whether alarms ring at all.
    static ALARMS: Cell<bool> = const { Cell::new(false) };
    /// Whether a checker is there: unit tests of the source are run beside it.
    static EXPLORING: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn explore() {
    EXPLORING.set(true);
}

pub(crate) fn let_alarms_ring(ring: bool) {
    ALARMS.set(ring);
}

pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    drop(shuttle::future::spawn(future));
}

pub(crate) async fn timeout<F: Future>(_limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if ALARMS.get() => {
            if shuttle::rand::thread_rng().gen_bool(0.1) {
                return Poll::Ready(None);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Pending,
    })
    .await
}

pub(crate) async fn timeout_at<F: Future>(_deadline: Instant, future: F) -> Option<F::Output> {
    timeout(Duration::ZERO, future).await
}

/// Not modelled: it is a task-local, which knows no interleavings.
pub(crate) async fn aboard<F: Future>(future: F) -> F::Output {
    future.await
}

pub(crate) fn is_aboard() -> bool {
    false
}
