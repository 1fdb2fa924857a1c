use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::remembered::Remembered;

use super::{
    Holder, Leased, Login, LoginStore, StoreError, UserKey, Version, Versioned, Waiting, Work,
};

/// The maximum number of users.
const MAX_USERS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// A store in memory, for as long as the program runs.
///
/// It keeps 1024 users. Beyond that, the least recently used one is forgotten and has to log in
/// again. A request of a user counts as a use.
///
/// # Clone
///
/// Clones share the logins.
#[derive(Clone)]
pub struct MemoryStore(Arc<Mutex<Shared>>);

struct Shared {
    users: Remembered<UserKey, Kept>,
    /// The number of users added so far. Programs that wait for an unknown user watch it.
    added: watch::Sender<u64>,
    /// Not in `users`: forgetting a user must not end a lease.
    leases: HashMap<(UserKey, Work), (Holder, Instant)>,
    /// Not in `users`: a notice for an unknown user must not make a known one forgotten.
    notices: HashMap<UserKey, Vec<(Waiting, Instant)>>,
}

#[derive(Default)]
struct Kept {
    login: Login,
    version: watch::Sender<u64>,
}

/// Numbers the versions of all stores, so that a forgotten user never gets an earlier version
/// again.
static COMMITS: AtomicU64 = AtomicU64::new(0);

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::of(Remembered::new(MAX_USERS, None))
    }

    /// Makes a store that forgets a user who was not used for `idle`.
    pub(crate) fn forgetting_after(idle: Duration) -> Self {
        Self::of(Remembered::new(MAX_USERS, Some(idle)))
    }

    fn of(users: Remembered<UserKey, Kept>) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            users,
            added: watch::Sender::default(),
            leases: HashMap::new(),
            notices: HashMap::new(),
        })))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn version(&mut self, user: &UserKey) -> Version {
        let kept = self.users.get(user);
        kept.map_or(Version::NONE, Kept::version)
    }

    /// The notices for a user that have not expired.
    fn waiting(&self, user: &UserKey) -> Vec<Waiting> {
        let now = Instant::now();
        let notices = self.notices.get(user).into_iter().flatten();
        let notices = notices.filter(|(_, end)| *end > now);
        notices.map(|(waiting, _)| waiting.clone()).collect()
    }

    fn get_or_add(&mut self, user: &UserKey) -> &mut Kept {
        self.users.get_or_insert(user.clone(), |_| {
            self.added.send_modify(|count| *count += 1);
            Kept::default()
        })
    }
}

/// The end of a time from now. An `Instant` has an end, too: no program runs for a century.
fn end_of(ttl: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    Instant::now() + ttl.min(CENTURY)
}

impl Kept {
    fn version(&self) -> Version {
        match *self.version.borrow() {
            0 => Version::NONE,
            count => Version::new(count.to_string()),
        }
    }
}

#[async_trait]
impl LoginStore for MemoryStore {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let mut shared = self.shared();
        let kept = shared.users.get(user);
        Ok(Versioned {
            version: kept.map_or(Version::NONE, Kept::version),
            login: kept.map(|kept| kept.login.clone()).unwrap_or_default(),
        })
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let mut shared = self.shared();
        if shared.version(user) != *base {
            return Ok(None);
        }
        let kept = shared.get_or_add(user);
        kept.login = login.clone();
        let commit = COMMITS.fetch_add(1, Relaxed) + 1;
        kept.version.send_replace(commit);
        Ok(Some(kept.version()))
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let (mut shared, now) = (self.shared(), Instant::now());
        if shared.leases.len() >= MAX_USERS.get() {
            shared.leases.retain(|_, (_, end)| *end > now);
        }
        let key = (user.clone(), work);
        Ok(match shared.leases.get(&key) {
            Some((by, end)) if by != holder && *end > now => Leased::Busy {
                holder: by.clone(),
                remaining: *end - now,
            },
            _ => {
                shared.leases.insert(key, (holder.clone(), end_of(ttl)));
                Leased::Held
            }
        })
    }

    async fn extend(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut shared = self.shared();
        let lease = shared.leases.get_mut(&(user.clone(), work));
        let ours = lease.filter(|(by, _)| by == holder);
        Ok(ours.map(|(_, end)| *end = end_of(ttl)).is_some())
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let (mut shared, key) = (self.shared(), (user.clone(), work));
        if shared.leases.get(&key).is_some_and(|(by, _)| by == holder) {
            shared.leases.remove(&key);
        }
        Ok(())
    }

    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let (mut shared, now) = (self.shared(), Instant::now());
        if shared.notices.len() >= MAX_USERS.get() {
            shared.notices.retain(|_, notices| {
                notices.retain(|(_, end)| *end > now);
                !notices.is_empty()
            });
        }
        let notices = shared.notices.entry(user.clone()).or_default();
        notices.retain(|(known, end)| known.by != waiting.by && *end > now);
        notices.push((waiting.clone(), end_of(ttl)));
        Ok(())
    }

    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        Ok(self.shared().waiting(user))
    }

    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let mut shared = self.shared();
        if let Some(notices) = shared.notices.get_mut(user) {
            notices.retain(|(known, _)| known.by != *by);
            if notices.is_empty() {
                shared.notices.remove(user);
            }
        }
        Ok(())
    }

    async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
        loop {
            let mut change = {
                let mut shared = self.shared();
                if shared.version(user) != *seen {
                    return Ok(());
                }
                match shared.users.get(user) {
                    Some(kept) => kept.version.subscribe(),
                    // Waiting for an unknown user adds none.
                    None => shared.added.subscribe(),
                }
            };
            // An error means that the user was forgotten.
            let _ = change.changed().await;
        }
    }

    fn revision(&self, user: &UserKey) -> Option<u64> {
        let mut shared = self.shared();
        let kept = shared.users.get(user);
        Some(kept.map_or(0, |kept| kept.login.revision()))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("users", &self.shared().users.len())
            .finish_non_exhaustive()
    }
}
