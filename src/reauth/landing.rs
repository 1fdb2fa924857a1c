//! How those who wait hear that a flight has landed, each of them once and in the order in which they came.

use std::pin::pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::ReauthError;
use super::current::Issued;

/// How a flight ended. A renewal may end well and give nothing.
pub(super) type Landed = Result<Option<Issued>, ReauthError>;

/// What is waited for. There is one in every request that waits, so it is a pointer, and waiting takes what a place in the
/// list takes.
#[derive(Clone, Debug)]
pub(super) struct Landing(Arc<Shared>);

/// The flight's end of it: when it is dropped, whatever became of the flight, nobody waits any longer.
#[derive(Debug)]
pub(super) struct Beacon(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    landed: OnceLock<Landed>,
    told: Notify,
}

pub(super) fn awaited() -> (Beacon, Landing) {
    let shared = Arc::<Shared>::default();
    (Beacon(Arc::clone(&shared)), Landing(shared))
}

impl Beacon {
    pub(super) fn tell(self, landed: Landed) {
        let _ = self.0.landed.set(landed);
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        // A flight always lands before.
        self.0.landed.get_or_init(|| Err(ReauthError::no_runtime()));
        self.0.told.notify_waiters();
    }
}

impl Landing {
    /// How the flight ended, once it has.
    pub(super) async fn ended(self) -> Landed {
        let Shared { landed, told } = &*self.0;
        // Whoever is told from here on is told, though it was not waited for yet.
        let told = pin!(told.notified());
        if landed.get().is_none() {
            told.await;
        }
        let landed = landed.get().cloned();
        landed.unwrap_or_else(|| Err(ReauthError::no_runtime()))
    }
}

#[cfg(test)]
mod tests {
    use tokio_test::{assert_pending, assert_ready, task};

    use super::*;

    #[checks::test]
    fn result_reaches_early_and_late_waiters() {
        let (beacon, landing) = awaited();
        let mut waiting = [(); 3].map(|()| task::spawn(landing.clone().ended()));
        let mut unpolled = task::spawn(landing.clone().ended());
        waiting
            .iter_mut()
            .for_each(|waiting| assert_pending!(waiting.poll()));
        beacon.tell(Ok(None));
        for waiting in &mut waiting {
            assert!(waiting.is_woken());
            assert!(matches!(assert_ready!(waiting.poll()), Ok(None)));
        }
        assert!(matches!(assert_ready!(unpolled.poll()), Ok(None)));
        let mut late = task::spawn(landing.ended());
        assert!(matches!(assert_ready!(late.poll()), Ok(None)));
    }

    #[checks::test]
    fn dropped_login_ends_every_wait() {
        let (beacon, landing) = awaited();
        let mut waiting = task::spawn(landing.clone().ended());
        assert_pending!(waiting.poll());
        let mut late = task::spawn(landing.clone().ended());
        drop(beacon);
        assert!(assert_ready!(waiting.poll()).is_err());
        assert!(assert_ready!(late.poll()).is_err());
        assert!(assert_ready!(task::spawn(landing.ended()).poll()).is_err());
    }
}
