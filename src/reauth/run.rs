//! Runs a login or a look-up in a task of its own, and broadcasts its result to the waiters.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::at_origin::Issued;
use super::{ReauthError, Session};
use crate::runtime;

/// The result of a run. A look-up may find nothing.
pub(super) type Ended = Result<Option<Issued>, ReauthError>;

/// A run counts as lost this long after its time limit: its runtime may have stopped.
const GRACE: Duration = Duration::from_secs(1);

/// A run. Each clone can wait for its result.
#[derive(Clone, Debug)]
pub(super) struct Running {
    result: watch::Sender<Option<Ended>>,
    began_at: Instant,
    /// Whether the warning was given that the run takes long.
    is_warned: Arc<AtomicBool>,
    /// `None` if the clock cannot express the limit.
    lost_at: Option<Instant>,
}

impl Running {
    /// A run that takes at most `limit` from now.
    pub(super) fn new(limit: Duration) -> Self {
        let began_at = Instant::now();
        Self {
            result: watch::Sender::new(None),
            began_at,
            is_warned: Arc::default(),
            lost_at: began_at.checked_add(limit.saturating_add(GRACE)),
        }
    }

    /// Whether the run has ended without a result: its task is no longer polled.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.lost_at.is_some_and(|lost_at| lost_at <= now)
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.result.same_channel(&other.result)
    }

    /// Ends the run for its waiters, because its account was forgotten.
    pub(super) fn forget(&self) {
        self.report(Err(ReauthError::forgotten()));
    }

    /// Reports the end of the run. Only the first report counts.
    fn report(&self, end: Ended) {
        self.result.send_if_modified(|ended| {
            let is_first = ended.is_none();
            if is_first {
                *ended = Some(end);
            }
            is_first
        });
    }

    /// The result that the waiters get. An error if the run has none: it is lost.
    pub(super) fn result(&self) -> Ended {
        let result = self.result.borrow().clone();
        result.unwrap_or_else(|| Err(ReauthError::timeout()))
    }

    /// The result of the run, or `None` once it has taken `limit`.
    pub(super) async fn ended_within(self, limit: Duration) -> Option<Ended> {
        match self.began_at.checked_add(limit) {
            Some(until) if runtime::has_timer() => runtime::timeout_at(until, self.ended()).await,
            _ => Some(self.ended().await),
        }
    }

    /// Whether the caller is the first to warn that the run takes long.
    pub(super) fn is_first_warned(&self) -> bool {
        !self.is_warned.swap(true, Relaxed)
    }

    /// The result of the run. An error if the run is lost.
    pub(super) async fn ended(self) -> Ended {
        let mut result = self.result.subscribe();
        let ended = async move { drop(result.wait_for(Option::is_some).await) };
        match self.lost_at {
            Some(lost_at) if runtime::has_timer() => {
                let _ = runtime::timeout_at(lost_at, ended).await;
            }
            _ => ended.await,
        }
        self.result()
    }
}

/// Runs `work` in a task of its own for at most `login_timeout`. `settle` is called exactly once,
/// before the waiters get the result, whether `work` ends, fails, panics, takes too long, or is
/// dropped with its runtime.
///
/// `settle` takes the account's lock, so the caller must not hold it.
pub(super) fn launch<T, W, S>(session: &Session, running: Running, work: W, settle: S)
where
    T: Send + 'static,
    W: Future<Output = Result<T, ReauthError>> + Send + 'static,
    S: FnOnce(Result<T, ReauthError>) -> Ended + Send + 'static,
{
    let run = Run {
        settle: Some((settle, running)),
        result: Some(Err(ReauthError::no_runtime())),
    };
    if !runtime::has_timer() {
        return drop(run);
    }
    let limit = session.settings().login_timeout;
    runtime::spawn(runtime::in_login(session.login_of(), async move {
        run.end(contained(limit, work).await);
    }));
}

/// Calls `settle` when it is dropped, so that a run cannot end without it.
struct Run<T, S: FnOnce(Result<T, ReauthError>) -> Ended> {
    settle: Option<(S, Running)>,
    result: Option<Result<T, ReauthError>>,
}

impl<T, S: FnOnce(Result<T, ReauthError>) -> Ended> Run<T, S> {
    fn end(mut self, result: Result<T, ReauthError>) {
        self.result = Some(result);
    }
}

impl<T, S: FnOnce(Result<T, ReauthError>) -> Ended> Drop for Run<T, S> {
    fn drop(&mut self) {
        if let (Some((settle, running)), Some(result)) = (self.settle.take(), self.result.take()) {
            running.report(settle(result));
        }
    }
}

/// Runs `work` for at most `limit`, and turns a panic into an error. Without a timer there is no
/// limit.
pub(super) async fn contained<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ReauthError>>,
) -> Result<T, ReauthError> {
    let mut work = pin!(async move {
        match runtime::has_timer() {
            true => runtime::timeout(limit, work).await,
            false => Some(work.await),
        }
    });
    let ended = poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            // A future that panicked must not be polled again.
            Err(_) => Poll::Ready(None),
        },
    );
    match ended.await {
        Some(Some(result)) => result,
        Some(None) => Err(ReauthError::timeout()),
        None => Err(ReauthError::panicked()),
    }
}
