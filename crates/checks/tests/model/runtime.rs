//! The runtime of sessions under the model checker: at every lock another task may run, and a
//! timeout may expire at any time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use shuttle::rand::Rng;
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

thread_local! {
    /// Whether timeouts expire, at random.
    static EXPIRE: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn let_timeouts_expire(expire: bool) {
    EXPIRE.set(expire);
}

pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    drop(shuttle::future::spawn(future));
}

pub(crate) async fn timeout<F: Future>(_limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if EXPIRE.get() => {
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

/// Timeouts always work.
pub(crate) fn has_timer() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginOf(pub(crate) usize);

/// Not modelled: a task-local has no interleavings.
pub(crate) async fn in_login<F: Future>(_: LoginOf, future: F) -> F::Output {
    future.await
}

pub(crate) fn login_of() -> Option<LoginOf> {
    None
}
