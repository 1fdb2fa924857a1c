//! The logins of an app's users: in the store, or in memory where nothing can be stored.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::clock::Clock;
use super::store::{self, Login, LoginStore, MemoryStore, StoreError, StoredToken, UserKey};
use globus_gare::reauth::{Credential, Principal};

/// How many users and credentials are remembered: as many principals as a session has in use.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

#[derive(Debug)]
pub(super) struct Logins {
    pub(super) clock: Clock,
    store: Arc<dyn LoginStore>,
    /// The logins of presented credentials: nothing of them is stored.
    presented: Arc<dyn LoginStore>,
    /// What could not be stored.
    unsaved: MemoryStore,
    users: Mutex<LruCache<UserKey, Seen>>,
    /// The epoch of each token that a session was given, by its fingerprint.
    given: Mutex<LruCache<String, u64>>,
    /// The person of each token that a record listed, by its fingerprint.
    owners: Mutex<LruCache<String, String>>,
}

/// What this program has seen of a user.
#[derive(Debug, Default)]
struct Seen {
    /// The revision at first, and now.
    revisions: Option<(u64, u64)>,
    /// The epoch of the token that a session was given last.
    given: Option<u64>,
}

impl Logins {
    pub(super) fn new(store: Arc<dyn LoginStore>, clock: Clock) -> Self {
        Self {
            clock,
            store,
            presented: Arc::new(MemoryStore::new()),
            unsaved: MemoryStore::new(),
            users: Mutex::new(LruCache::new(REMEMBERED)),
            given: Mutex::new(LruCache::new(REMEMBERED)),
            owners: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// The store in which the login of a principal is.
    pub(super) fn store(&self, principal: &Principal) -> &Arc<dyn LoginStore> {
        match principal {
            Principal::Session | Principal::Named(_) => &self.store,
            _ => &self.presented,
        }
    }

    pub(super) async fn load(
        &self,
        store: &dyn LoginStore,
        user: &UserKey,
    ) -> Result<Login, StoreError> {
        if let Some(unsaved) = self.unsaved(user).await {
            return Ok(unsaved);
        }
        let login = store::load(store, user, self.clock.now()).await?.login;
        self.remember(user, &login);
        Ok(login)
    }

    /// Changes a login in the store.
    pub(super) async fn update<T>(
        &self,
        store: &dyn LoginStore,
        user: &UserKey,
        mut change: impl FnMut(&mut Login) -> T + Send,
    ) -> Result<(T, Login), StoreError> {
        let unsaved = self.unsaved(user).await;
        let change = |login: &mut Login| {
            // What could not be stored is, unless there was another login since.
            if let Some(unsaved) = &unsaved
                && login.epoch() < unsaved.epoch()
            {
                *login = unsaved.clone();
            }
            change(login)
        };
        let done = store::update(store, user, self.clock.now(), change).await?;
        if unsaved.is_some() {
            self.set_unsaved(user, Login::default()).await;
        }
        self.remember(user, &done.1);
        Ok(done)
    }

    /// As [`update`](Self::update); where nothing can be stored the change is kept in memory, with
    /// the error.
    pub(super) async fn keep<T>(
        &self,
        store: &dyn LoginStore,
        user: &UserKey,
        before: Login,
        mut change: impl FnMut(&mut Login) -> T + Send,
    ) -> (T, Login, Option<StoreError>) {
        match self.update(store, user, &mut change).await {
            Ok((done, login)) => (done, login, None),
            Err(error) => {
                let mut login = self.unsaved(user).await.unwrap_or(before);
                let done = change(&mut login);
                self.set_unsaved(user, login.clone()).await;
                (done, login, Some(error))
            }
        }
    }

    async fn unsaved(&self, user: &UserKey) -> Option<Login> {
        let kept = self.unsaved.load(user).await.ok()?;
        Some(kept.login).filter(|login| *login != Login::default())
    }

    async fn set_unsaved(&self, user: &UserKey, login: Login) {
        let change = |kept: &mut Login| *kept = login.clone();
        // Memory refuses nothing.
        let _ = store::update(&self.unsaved, user, self.clock.now(), change).await;
    }

    /// The revision of a user, counted from the first time that this program saw it.
    pub(super) fn revision(&self, principal: &Principal, user: &UserKey) -> u64 {
        if let Some(revision) = self.store(principal).revision(user) {
            return revision;
        }
        let mut users = lock(&self.users);
        let revisions = users.get(user).and_then(|seen| seen.revisions);
        revisions.map_or(0, |(first, now)| now.wrapping_sub(first))
    }

    fn remember(&self, user: &UserKey, login: &Login) {
        self.remember_owner(login);
        let now = login.revision();
        let mut users = lock(&self.users);
        let seen = users.get_or_insert_mut(user.clone(), Seen::default);
        seen.revisions.get_or_insert((now, now)).1 = now;
    }

    fn remember_owner(&self, login: &Login) {
        let Some((sub, record)) = login.record.as_ref().and_then(|it| Some((it.sub()?, it))) else {
            return;
        };
        let mut owners = lock(&self.owners);
        for listed in record.tokens.values() {
            if owners.get(&listed.access).is_none_or(|known| known != sub) {
                owners.put(listed.access.clone(), sub.to_owned());
            }
        }
    }

    /// The person whose token has this fingerprint, where a record listed it.
    pub(super) fn owner_of(&self, fingerprint: &str) -> Option<String> {
        lock(&self.owners).get(fingerprint).cloned()
    }

    /// Remembers that a session was given a token of a login.
    pub(super) fn remember_given(&self, user: &UserKey, token: &StoredToken, epoch: u64) {
        let mut users = lock(&self.users);
        users.get_or_insert_mut(user.clone(), Seen::default).given = Some(epoch);
        drop(users);
        lock(&self.given).put(token.fingerprint(), epoch);
    }

    /// The epoch of the token that a session was given last; `None` if none was.
    pub(super) fn last_epoch(&self, user: &UserKey) -> Option<u64> {
        lock(&self.users).get(user).and_then(|seen| seen.given)
    }

    /// The epoch of a token that a session was given; `None` if none was.
    pub(super) fn epoch_of(&self, token: &StoredToken) -> Option<u64> {
        lock(&self.given).get(&token.fingerprint()).copied()
    }

    /// The epoch of a credential that a session was given.
    pub(super) fn epoch_of_credential(&self, credential: &Credential) -> Option<u64> {
        let value = credential.header_value().as_bytes();
        let token = value.strip_prefix(b"Bearer ")?;
        lock(&self.given).get(&store::digest(token)).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
