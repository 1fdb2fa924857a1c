//! The logins of an app's users: in the store, or in memory while the store fails.

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
use super::unsaved::Unsaved;
use super::user::AppUser;
use globus_gare::reauth::{Credential, Principal};

/// How often a change is tried again after another program committed first. Each try means that
/// another commit succeeded, so this many are a loop of programs, not bad luck.
const MAX_TRIES: usize = 1000;

/// The maximum number of logins in memory that could not be stored.
const MAX_UNSAVED: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// The maximum number of users and credentials in memory. A session's default maximum of principals
/// is the same.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

#[derive(Debug)]
pub(super) struct Logins {
    pub(super) clock: Clock,
    store: Arc<dyn LoginStore>,
    copies: Copies,
    /// The logins of presented credentials, which are never stored.
    presented: Arc<dyn LoginStore>,
    users: Mutex<Remembered<UserKey, Seen>>,
    /// The logins that could not be stored.
    unsaved: Mutex<LruCache<UserKey, Unsaved>>,
    /// The epoch of each token that a session was given, by the token's fingerprint. Neither this
    /// nor `owners` expires: an old token may come back.
    given: Mutex<LruCache<String, u64>>,
    /// The person of each token that a record listed, by the token's fingerprint.
    owners: Mutex<LruCache<String, String>>,
    /// The watches for the end of a Globus Auth session. They last longer than an idle user.
    watches: Mutex<LruCache<UserKey, Watch>>,
}

/// The state of a user in this program's memory.
#[derive(Debug)]
struct Seen {
    /// Differs from the value before the user was forgotten, so that a session that still remembers
    /// the user looks the credential up again.
    base: u64,
    /// The first revision that was read, and the newest.
    revisions: Option<(u64, u64)>,
    /// The epoch of the last token that a session was given.
    given: Option<u64>,
}

/// A watch for the end of a user's Globus Auth session.
#[derive(Debug, Default)]
struct Watch {
    is_watched: bool,
    /// The epoch of the login that is in use.
    in_use: u64,
    /// The epoch of the login whose end the person was warned of.
    told: Option<u64>,
}

/// The state of a user in memory before the store was read. It may change during the read.
struct Known {
    unsaved: Option<Unsaved>,
    /// The newest revision; `None` if none was read.
    revision: Option<u64>,
}

impl AppUser {
    pub(super) async fn load(&self) -> Result<Login, StoreError> {
        self.load_versioned().await.map(|kept| kept.login)
    }

    /// The stored login, with changes that could not be stored. If the store fails, the login in
    /// memory that could not be stored, at [`Version::NONE`].
    pub(super) async fn load_versioned(&self) -> Result<Versioned, StoreError> {
        let logins = &self.shared.logins;
        let known = logins.known(&self.key);
        let mut kept = match (self.read().await, &known.unsaved) {
            (Ok(kept), _) => kept,
            (Err(_), Some(unsaved)) => {
                let (version, login) = (Version::NONE, unsaved.login.clone());
                return Ok(Versioned { version, login });
            }
            (Err(error), None) => return Err(error),
        };
        kept.login.recognize(logins.clock.now());
        match &known.unsaved {
            Some(unsaved) if unsaved.add_to(&mut kept.login) => {}
            _ => logins.remember(&self.key, &kept.login, &known),
        }
        Ok(kept)
    }

    /// The copy of the stored login that an earlier step of the same request made, or else the
    /// stored login.
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

    /// Loads the stored login, and keeps a copy.
    async fn read(&self) -> Result<Versioned, StoreError> {
        let kept = self.store.load(&self.key).await?;
        self.shared.logins.copies.put(&self.key, kept.clone());
        Ok(kept)
    }

    /// Changes and commits the login, beginning with the copy that a moment ago was stored. Loads
    /// the login again if another program committed first. Returns the result of the last `change`,
    /// and the login that is stored now. Commits nothing if `change` changed nothing.
    pub(super) async fn update<T>(
        &self,
        mut change: impl FnMut(&mut Login) -> T + Send,
    ) -> Result<(T, Login), StoreError> {
        let logins = &self.shared.logins;
        let known = logins.known(&self.key);
        let mut copy = logins.copies.get(&self.key);
        for _ in 0..MAX_TRIES {
            let is_copy = copy.is_some();
            let Versioned { version, login } = match copy.take() {
                Some(copy) => copy,
                None => self.read().await?,
            };
            let mut next = login.clone();
            next.recognize(logins.clock.now());
            if let Some(unsaved) = &known.unsaved {
                unsaved.add_to(&mut next);
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
                // The copy may be out of date: the stored login may need the change.
                continue;
            }
            logins.remember(&self.key, &next, &known);
            return Ok((done, next));
        }
        Err(StoreError::because(format!(
            "a change of the login was tried {MAX_TRIES} times: other programs changed the login each time"
        )))
    }

    /// Stores a record for a login by a program that keeps none. A later such login is told apart
    /// by it.
    pub(super) async fn keep_record(&self, login: &Login) {
        if !login.is_unverified() {
            return;
        }
        let now = self.shared.logins.clock.now();
        let stored = self.update(|next| {
            if next.is_unverified() && next.epoch() == login.epoch() {
                next.record.clone_from(&login.record);
                // The other program may have logged in again since the load.
                next.recognize(now);
            }
        });
        // If the store fails, logins of other programs are not told apart.
        let _ = stored.await;
    }

    /// Stores tokens from Globus Auth. If the store fails, keeps them in memory, and warns with an
    /// event and a status.
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
        let mut all_unsaved = lock(&logins.unsaved);
        let unsaved = all_unsaved.get(&self.key).cloned();
        let Unsaved { before, login: now } = unsaved.unwrap_or_else(|| Unsaved {
            login: before.clone(),
            before,
        });
        let mut login = now.clone();
        let done = change(&mut login);
        if login != now {
            logins.remember_owner(&login);
            let unsaved = Unsaved {
                before,
                login: login.clone(),
            };
            all_unsaved.put(self.key.clone(), unsaved);
            drop(all_unsaved);
            let (user, reason) = (self.key.clone(), error.to_string());
            tracing::warn!(user = user.user(), reason, "login could not be stored");
            self.tell(&LoginStatus::NotStored { user, reason });
        }
        (done, login)
    }
}

impl Logins {
    /// Makes the logins of an app. Idle users are forgotten after `idle`.
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

    /// The store for the login of a principal.
    pub(super) fn store(&self, principal: &Principal) -> &Arc<dyn LoginStore> {
        match principal {
            Principal::Session | Principal::Named(_) => &self.store,
            _ => &self.presented,
        }
    }

    /// The revision of a user, relative to the first one that this program read.
    pub(super) fn revision(&self, principal: &Principal, user: &UserKey) -> u64 {
        if let Some(revision) = self.store(principal).revision(user) {
            // A session asks at each request: the user is not idle.
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

    fn unsaved(&self, user: &UserKey) -> Option<Unsaved> {
        lock(&self.unsaved).get(user).cloned()
    }

    fn known(&self, user: &UserKey) -> Known {
        Known {
            unsaved: self.unsaved(user),
            revision: self.see(user, |seen| seen.revisions.map(|(_, newest)| newest)),
        }
    }

    /// Remembers a stored login. `known` is the state before the store was read.
    fn remember(&self, user: &UserKey, login: &Login, known: &Known) {
        self.remember_owner(login);
        let mut all_unsaved = lock(&self.unsaved);
        // A newer one is not in this login.
        if all_unsaved.peek(user) == known.unsaved.as_ref() {
            all_unsaved.pop(user);
        }
        drop(all_unsaved);
        let revision = login.revision();
        self.see(user, |seen| {
            let (_, newest) = seen.revisions.get_or_insert((revision, revision));
            // A login that was read before a logout does not undo it.
            if revision > *newest || known.revision == Some(*newest) {
                *newest = revision;
            }
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

    /// The person whose token has this fingerprint, if a record listed the token.
    pub(super) fn owner_of(&self, fingerprint: &str) -> Option<String> {
        lock(&self.owners).get(fingerprint).cloned()
    }

    /// Remembers that a session was given a token of a login.
    pub(super) fn remember_given(&self, user: &UserKey, token: &StoredToken, epoch: u64) {
        self.see(user, |seen| seen.given = Some(epoch));
        lock(&self.given).put(token.fingerprint(), epoch);
    }

    /// Starts a watch for the end of a login. `false` if one runs, or the person was warned before.
    pub(super) fn begin_watch(&self, user: &UserKey, epoch: u64) -> bool {
        let mut watches = lock(&self.watches);
        let watch = watches.get_or_insert_mut(user.clone(), Watch::default);
        watch.in_use = epoch;
        watch.told != Some(epoch) && !std::mem::replace(&mut watch.is_watched, true)
    }

    /// Whether another login is in use than the watched one.
    pub(super) fn is_another_in_use(&self, user: &UserKey, watched: u64) -> bool {
        let watches = lock(&self.watches);
        watches.peek(user).is_some_and(|it| it.in_use != watched)
    }

    /// Ends a watch. `told` is the epoch of the login whose end the person was warned of.
    pub(super) fn end_watch(&self, user: &UserKey, told: Option<u64>) {
        if let Some(watch) = lock(&self.watches).get_mut(user) {
            watch.is_watched = false;
            watch.told = told.or(watch.told);
        }
    }

    /// The epoch of the last token that a session was given; `None` if there was none.
    pub(super) fn last_epoch(&self, user: &UserKey) -> Option<u64> {
        self.see(user, |seen| seen.given)
    }

    /// The epoch of a token that a session was given; `None` for any other token.
    pub(super) fn epoch_of(&self, token: &StoredToken) -> Option<u64> {
        lock(&self.given).get(&token.fingerprint()).copied()
    }

    /// The epoch of a credential that a session was given; `None` for any other credential.
    pub(super) fn epoch_of_credential(&self, credential: &Credential) -> Option<u64> {
        let value = credential.header_value().as_bytes();
        let token = value.strip_prefix(b"Bearer ")?;
        lock(&self.given).get(&store::digest(token)).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
