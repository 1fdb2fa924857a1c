//! The world of the deciding, as the model checker plays it: every lock is a
//! point where another task may go first, and an alarm may ring at any time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use shuttle::rand::Rng;
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

thread_local! {
    /// Whether alarms ring at all.
    static ALARMS: Cell<bool> = const { Cell::new(false) };
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

/// Alarms can always be set.
pub(crate) fn has_timer() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginOf(pub(crate) usize);

/// Not modelled: it is a task-local, which knows no interleavings.
pub(crate) async fn in_login<F: Future>(_: LoginOf, future: F) -> F::Output {
    future.await
}

pub(crate) fn login_of() -> Option<LoginOf> {
    None
}
