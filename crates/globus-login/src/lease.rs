//! A lease that is extended as long as the work takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::store::{Holder, Leased, LoginStore, UserKey, Work, jittered};

/// The time limit of a lease, which is extended until the work is done. After a program dies,
/// others wait for that long. For a refresh it is shorter than a request waits for one.
fn ttl(work: Work) -> Duration {
    match work {
        Work::Login => Duration::from_secs(30),
        Work::Refresh => Duration::from_secs(5),
    }
}

/// How long to wait before trying for a lease again. Doubles from the first to the second value.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// A lease that this program holds. Released on drop.
pub(super) struct Lease {
    store: Arc<dyn LoginStore>,
    user: UserKey,
    work: Work,
    holder: Holder,
    extending: JoinHandle<()>,
    is_released: bool,
}

impl Lease {
    /// Waits for a lease as long as `waits` returns `true` for the current holder. `None` if it
    /// returns `false`.
    ///
    /// If the store fails, returns as if it had the lease: a lease only saves double work.
    pub(super) async fn wait(
        store: &Arc<dyn LoginStore>,
        user: &UserKey,
        work: Work,
        holder: Holder,
        mut waits: impl FnMut(&Holder) -> bool,
    ) -> Option<Self> {
        let mut pause = PAUSES[0];
        while let Ok(Leased::Busy { holder, remaining }) =
            store.lease(user, work, &holder, ttl(work)).await
        {
            if !waits(&holder) {
                return None;
            }
            let least = Duration::from_millis(10);
            tokio::time::sleep(jittered(pause).min(remaining.max(least))).await;
            pause = PAUSES[1].min(pause * 2);
        }
        let extending = {
            let (store, user, holder) = (Arc::clone(store), user.clone(), holder.clone());
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(ttl(work) / 3).await;
                    if let Ok(false) = store.extend(&user, work, &holder, ttl(work)).await {
                        break;
                    }
                }
            })
        };
        Some(Self {
            store: Arc::clone(store),
            user: user.clone(),
            work,
            holder,
            extending,
            is_released: false,
        })
    }

    /// Releases the lease, and waits until others can take it.
    pub(super) async fn release(mut self) {
        self.extending.abort();
        // If the store fails, the lease expires.
        let released = self.store.release(&self.user, self.work, &self.holder);
        let _ = released.await;
        self.is_released = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.extending.abort();
        if self.is_released {
            return;
        }
        let (store, user) = (Arc::clone(&self.store), self.user.clone());
        let (work, holder) = (self.work, self.holder.clone());
        // Without a runtime the lease expires.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { store.release(&user, work, &holder).await });
        }
    }
}
