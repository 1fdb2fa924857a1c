//! A lease for as long as some work takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::store::{Holder, Leased, LoginStore, UserKey, Work, jittered};

/// How long nobody else does the work of a program that has died. It is extended meanwhile. A request
/// waits for a refresh: it is to be over before that gives up.
fn ttl(work: Work) -> Duration {
    match work {
        Work::Login => Duration::from_secs(30),
        Work::Refresh => Duration::from_secs(5),
    }
}

/// How long to wait before looking at a lease again: doubled each time, from the first to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Released when it is dropped.
pub(super) struct Lease {
    store: Arc<dyn LoginStore>,
    user: UserKey,
    work: Work,
    holder: Holder,
    extending: JoinHandle<()>,
    is_released: bool,
}

impl Lease {
    /// Waits for a lease, as long as `waits` says so of the holder. `None`: it does not.
    ///
    /// Without a lease the work is only done twice. So where the store cannot give one, there is
    /// nothing to wait for.
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

    /// Releases it, and waits until others can have it.
    pub(super) async fn release(mut self) {
        self.extending.abort();
        // Where it cannot be released, it ends by itself.
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
        // A runtime that shuts down ends the program's leases by their time limit.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { store.release(&user, work, &holder).await });
        }
    }
}
