//! The session's access to tasks, time and locks.
//!
//! The tests with a model checker compile the session over another module of the same name.

use std::future::Future;
use std::panic::catch_unwind;
use std::time::Duration;

pub(crate) use std::sync::{Mutex, MutexGuard};

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

tokio::task_local! {
    static IN_LOGIN: LoginOf;
}

/// The session whose login a task is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginOf(pub(crate) usize);

/// Runs `future` in a task of its own, or drops it if there is no runtime.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(future));
    }
}

/// Whether the caller runs in a runtime with a timer. Without one, tokio's timers panic.
///
/// tokio has no other way to find out. The panic is caught; a panic hook still sees it.
pub(crate) fn has_timer() -> bool {
    Handle::try_current().is_ok() && catch_unwind(|| drop(sleep(Duration::ZERO))).is_ok()
}

/// `future`'s output, or `None` once `limit` has passed. Needs a [timer](has_timer).
pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}

/// `future`'s output, or `None` at `deadline`. Needs a [timer](has_timer).
pub(crate) async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    tokio::time::timeout_at(deadline, future).await.ok()
}

/// Runs `future` as part of a login: see [`login_of`].
pub(crate) async fn in_login<F: Future>(login_of: LoginOf, future: F) -> F::Output {
    IN_LOGIN.scope(login_of, future).await
}

/// The session whose login the caller is part of; `None` outside [`in_login`].
pub(crate) fn login_of() -> Option<LoginOf> {
    IN_LOGIN.try_with(|login_of| *login_of).ok()
}
