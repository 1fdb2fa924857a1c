//! The logins of an app's users: in the store, or in memory where nothing can be stored.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;

use super::LoginStatus;
use super::clock::Clock;
use super::copies::Copies;
use super::remembered::Remembered;
use super::store::{
    self, Login, LoginStore, MemoryStore, StoreError, StoredToken, UserKey, Version, Versioned,
};
use super::user::AppUser;
use globus_gare::reauth::{Credential, Principal};

/// How often a change is made anew because somebody else was faster. Each time somebody else has
/// succeeded: that many are a loop, not bad luck.
const MAX_TRIES: usize = 1000;

/// How many logins are kept in memory while they cannot be stored.
const MAX_UNSAVED: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// How many users and credentials are remembered: as many principals as a session has in use.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

#[derive(Debug)]
pub(super) struct Logins {
    pub(super) clock: Clock,
    store: Arc<dyn LoginStore>,
    copies: Copies,
    /// The logins of presented credentials: nothing of them is stored.
    presented: Arc<dyn LoginStore>,
    users: Mutex<Remembered<UserKey, Seen>>,
    /// What could not be stored.
    unsaved: Mutex<LruCache<UserKey, Login>>,
    /// The epoch of each token that a session was given, by its fingerprint. Neither this nor the next is forgotten
    /// by time: an old token may come back.
    given: Mutex<LruCache<String, u64>>,
    /// The person of each token that a record listed, by its fingerprint.
    owners: Mutex<LruCache<String, String>>,
    /// Whose end of a session is awaited: for longer than a user is idle.
    watches: Mutex<LruCache<UserKey, Watch>>,
}

/// What this program has seen of a user.
#[derive(Debug)]
struct Seen {
    /// Other than before the user was forgotten: a session that still remembers them looks again.
    base: u64,
    /// The revision at first, and now.
    revisions: Option<(u64, u64)>,
    /// The epoch of the token that a session was given last.
    given: Option<u64>,
}

/// What is done about the end of a user's session.
#[derive(Debug, Default)]
struct Watch {
    is_watched: bool,
    /// The epoch of the login whose end was told.
    told: Option<u64>,
}

impl AppUser {
    pub(super) async fn load(&self) -> Result<Login, StoreError> {
        self.load_versioned().await.map(|kept| kept.login)
    }

    /// What is kept. A login that could not be stored comes before it, at the version that is there.
    pub(super) async fn load_versioned(&self) -> Result<Versioned, StoreError> {
        let logins = &self.shared.logins;
        if let Some(login) = logins.unsaved(&self.key) {
            let version = Version::NONE;
            return Ok(Versioned { version, login });
        }
        let mut kept = self.read().await?;
        kept.login.recognize(logins.clock.now());
        logins.remember(&self.key, &kept.login);
        Ok(kept)
    }

    /// What was kept a moment ago, as far as an earlier step of the same request has read it.
    #[cfg(feature = "web")]
    pub(super) async fn load_recent(&self) -> Result<Login, StoreError> {
        let logins = &self.shared.logins;
        let copy = logins.copies.get(&self.key);
        let Some(copy) = copy.filter(|_| logins.unsaved(&self.key).is_none()) else {
            return self.load().await;
        };
        let mut login = copy.login;
        login.recognize(logins.clock.now());
        Ok(login)
    }

    async fn read(&self) -> Result<Versioned, StoreError> {
        let kept = self.store.load(&self.key).await?;
        self.shared.logins.copies.put(&self.key, kept.clone());
        Ok(kept)
    }

    /// Changes and commits the login; and does so again where somebody else was faster. Begins with
    /// the copy of a login that was read a moment ago. Gives what the last `change` gave, and what
    /// is kept now. A change that changes nothing is not written.
    pub(super) async fn update<T>(
        &self,
        mut change: impl FnMut(&mut Login) -> T + Send,
    ) -> Result<(T, Login), StoreError> {
        let logins = &self.shared.logins;
        let unsaved = logins.unsaved(&self.key);
        let mut copy = logins.copies.get(&self.key);
        for _ in 0..MAX_TRIES {
            let is_copy = copy.is_some();
            let Versioned { version, login } = match copy.take() {
                Some(copy) => copy,
                None => self.read().await?,
            };
            let mut next = login.clone();
            next.recognize(logins.clock.now());
            // What could not be stored is, unless there was another login since.
            if let Some(unsaved) = &unsaved
                && next.epoch() < unsaved.epoch()
            {
                next = unsaved.clone();
            }
            let done = change(&mut next);
            if next != login {
                let committed = self.store.commit(&self.key, &version, &next).await?;
                let Some(version) = committed else {
                    continue;
                };
                let login = next.clone();
                logins.copies.put(&self.key, Versioned { version, login });
            } else if is_copy {
                // What is kept by now may have to be changed.
                continue;
            }
            logins.remember(&self.key, &next);
            return Ok((done, next));
        }
        Err(StoreError::because(format!(
            "the login store refused a change {MAX_TRIES} times: other programs change it all the time"
        )))
    }

    /// Stores the record of a login by a program that keeps none: a later one is told from it.
    pub(super) async fn keep_record(&self, login: &Login) {
        if !login.is_unverified() {
            return;
        }
        let now = self.shared.logins.clock.now();
        let stored = self.update(|next| {
            if next.is_unverified() && next.epoch() == login.epoch() {
                next.record.clone_from(&login.record);
                // There may have been another one meanwhile.
                next.recognize(now);
            }
        });
        // Where nothing can be stored, other programs' logins are not told apart.
        let _ = stored.await;
    }

    /// Keeps what Globus Auth gave. It is used also where it cannot be stored, and the person is told.
    pub(super) async fn keep<T>(
        &self,
        before: Login,
        mut change: impl FnMut(&mut Login) -> T + Send,
    ) -> (T, Login) {
        let error = match self.update(&mut change).await {
            Ok(kept) => return kept,
            Err(error) => error,
        };
        let logins = &self.shared.logins;
        let before = logins.unsaved(&self.key).unwrap_or(before);
        let mut login = before.clone();
        let done = change(&mut login);
        if login != before {
            logins.remember_owner(&login);
            lock(&logins.unsaved).put(self.key.clone(), login.clone());
            let reason = error.to_string();
            self.tell(&LoginStatus::NotStored { reason });
        }
        (done, login)
    }
}

impl Logins {
    /// Users that nothing is done for are forgotten after `idle`.
    pub(super) fn new(store: Arc<dyn LoginStore>, clock: Clock, idle: Duration) -> Self {
        Self {
            clock,
            store,
            copies: Copies::new(),
            presented: Arc::new(MemoryStore::forgetting_after(idle)),
            users: Mutex::new(Remembered::new(REMEMBERED, Some(idle))),
            unsaved: Mutex::new(LruCache::new(MAX_UNSAVED)),
            given: Mutex::new(LruCache::new(REMEMBERED)),
            owners: Mutex::new(LruCache::new(REMEMBERED)),
            watches: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// The store in which the login of a principal is.
    pub(super) fn store(&self, principal: &Principal) -> &Arc<dyn LoginStore> {
        match principal {
            Principal::Session | Principal::Named(_) => &self.store,
            _ => &self.presented,
        }
    }

    /// The revision of a user, counted from the first time that this program saw it.
    pub(super) fn revision(&self, principal: &Principal, user: &UserKey) -> u64 {
        if let Some(revision) = self.store(principal).revision(user) {
            // A request of theirs: they are not idle.
            lock(&self.users).get(user);
            return revision;
        }
        self.see(user, |seen| {
            let (first, now) = seen.revisions.unwrap_or_default();
            seen.base.wrapping_add(now.wrapping_sub(first))
        })
    }

    fn see<T>(&self, user: &UserKey, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(
            lock(&self.users).get_or_insert(user.clone(), |forgotten| Seen {
                base: forgotten << 32,
                revisions: None,
                given: None,
            }),
        )
    }

    fn unsaved(&self, user: &UserKey) -> Option<Login> {
        lock(&self.unsaved).get(user).cloned()
    }

    /// Remembers a login that is stored.
    fn remember(&self, user: &UserKey, login: &Login) {
        self.remember_owner(login);
        let now = login.revision();
        lock(&self.unsaved).pop(user);
        self.see(user, |seen| {
            seen.revisions.get_or_insert((now, now)).1 = now;
        });
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
        self.see(user, |seen| seen.given = Some(epoch));
        lock(&self.given).put(token.fingerprint(), epoch);
    }

    /// Whether the end of this login is to be awaited, and nobody does so yet.
    pub(super) fn begin_watch(&self, user: &UserKey, epoch: u64) -> bool {
        let mut watches = lock(&self.watches);
        let watch = watches.get_or_insert_mut(user.clone(), Watch::default);
        watch.told != Some(epoch) && !std::mem::replace(&mut watch.is_watched, true)
    }

    /// Nobody awaits the end any longer; that of a login may have been told.
    pub(super) fn end_watch(&self, user: &UserKey, told: Option<u64>) {
        if let Some(watch) = lock(&self.watches).get_mut(user) {
            watch.is_watched = false;
            watch.told = told.or(watch.told);
        }
    }

    /// The epoch of the token that a session was given last; `None` if none was.
    pub(super) fn last_epoch(&self, user: &UserKey) -> Option<u64> {
        self.see(user, |seen| seen.given)
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
