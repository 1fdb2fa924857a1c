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

use super::ReauthError;
use super::at_origin::Issued;
use crate::runtime::{self, LoginOf};

/// The result of a run. A look-up may find nothing.
pub(super) type Ended = Result<Option<Issued>, ReauthError>;

/// A run counts as lost this long after its time limit: its runtime may have stopped.
const GRACE: Duration = Duration::from_secs(1);

/// The waiters' end of a run.
#[derive(Clone, Debug)]
pub(super) struct Running {
    ended: watch::Receiver<Option<Ended>>,
    sender: watch::Sender<Option<Ended>>,
    began_at: Instant,
    /// Whether the warning was given that the run takes long.
    is_warned: Arc<AtomicBool>,
    /// `None` if the clock cannot express the limit.
    lost_at: Option<Instant>,
}

/// The run's own end of [`Running`].
#[derive(Debug)]
pub(super) struct Reporter(watch::Sender<Option<Ended>>);

/// Makes both ends of a run that takes at most `limit` from now.
pub(super) fn begin(limit: Duration) -> (Reporter, Running) {
    let (sender, ended) = watch::channel(None);
    let began_at = Instant::now();
    let running = Running {
        ended,
        sender: sender.clone(),
        began_at,
        is_warned: Arc::default(),
        lost_at: began_at.checked_add(limit.saturating_add(GRACE)),
    };
    (Reporter(sender), running)
}

impl Running {
    /// Whether the run has ended without a result: its task is no longer polled.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.lost_at.is_some_and(|lost_at| lost_at <= now)
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.ended.same_channel(&other.ended)
    }

    /// Ends the run for its waiters, because its account was forgotten.
    pub(super) fn forget(&self) {
        report(&self.sender, Err(ReauthError::forgotten()));
    }

    /// The result of the run, or `None` once it has taken `limit`.
    pub(super) async fn ended_within(self, limit: Duration) -> Option<Ended> {
        if let Some(ended) = self.ended.borrow().clone() {
            return Some(ended);
        }
        match self.began_at.checked_add(limit) {
            Some(until) if runtime::has_timer() => runtime::timeout_at(until, self.ended()).await,
            _ => Some(self.ended().await),
        }
    }

    /// Whether the caller is the first to warn that the run takes long.
    pub(super) fn is_first_warned(&self) -> bool {
        !self.is_warned.swap(true, Relaxed)
    }

    /// The result of the run. An error if the run is dropped or lost.
    pub(super) async fn ended(mut self) -> Ended {
        if let Some(ended) = self.ended.borrow().clone() {
            return ended;
        }
        let lost_at = self.lost_at.filter(|_| runtime::has_timer());
        let mut ended = pin!(async move {
            let ended = self.ended.wait_for(Option::is_some).await;
            ended.ok().and_then(|ended| ended.clone())
        });
        let ended = match lost_at {
            None => Some(ended.await),
            Some(lost_at) => runtime::timeout_at(lost_at, ended.as_mut()).await,
        };
        match ended {
            Some(Some(ended)) => ended,
            Some(None) => Err(ReauthError::no_runtime()),
            None => Err(ReauthError::timeout()),
        }
    }
}

/// Reports the end of a run. Only the first report counts.
fn report(sender: &watch::Sender<Option<Ended>>, end: Ended) {
    sender.send_if_modified(|ended| {
        let is_first = ended.is_none();
        if is_first {
            *ended = Some(end);
        }
        is_first
    });
}

/// Runs `work` in a task of its own for at most `limit`. `settle` is called exactly once, before
/// the waiters get the result, whether `work` ends, fails, panics, takes too long, or is dropped
/// with its runtime.
///
/// `settle` takes the account's lock, so the caller must not hold it.
pub(super) fn launch<T, W, S>(
    (login_of, limit): (LoginOf, Duration),
    reporter: Reporter,
    work: W,
    settle: S,
) where
    T: Send + 'static,
    W: Future<Output = Result<T, ReauthError>> + Send + 'static,
    S: FnOnce(Result<T, ReauthError>) -> Ended + Send + 'static,
{
    let run = Run {
        settle: Some((settle, reporter)),
        result: Some(Err(ReauthError::no_runtime())),
    };
    if !runtime::has_timer() {
        return drop(run);
    }
    runtime::spawn(runtime::in_login(login_of, async move {
        run.end(contained(limit, work).await);
    }));
}

/// Calls `settle` when it is dropped, so that a run cannot end without it.
struct Run<T, S: FnOnce(Result<T, ReauthError>) -> Ended> {
    settle: Option<(S, Reporter)>,
    result: Option<Result<T, ReauthError>>,
}

impl<T, S: FnOnce(Result<T, ReauthError>) -> Ended> Run<T, S> {
    fn end(mut self, result: Result<T, ReauthError>) {
        self.result = Some(result);
    }
}

impl<T, S: FnOnce(Result<T, ReauthError>) -> Ended> Drop for Run<T, S> {
    fn drop(&mut self) {
        if let (Some((settle, reporter)), Some(result)) = (self.settle.take(), self.result.take()) {
            report(&reporter.0, settle(result));
        }
    }
}

/// Runs `work` for at most `limit`, and turns a panic into an error.
pub(super) async fn contained<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ReauthError>>,
) -> Result<T, ReauthError> {
    let mut work = pin!(runtime::timeout(limit, work));
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
