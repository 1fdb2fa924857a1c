use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Holder, Leased, Login, StoreError, UserKey, Version, Versioned, Waiting, Work};

/// How often a store that cannot do better is read, while somebody waits for a change.
const POLL: Duration = Duration::from_secs(5);

/// Keeps logins: in memory ([`MemoryStore`](super::MemoryStore)), in a file
/// ([`JsonStore`](super::JsonStore)), or wherever you like.
///
/// Two methods make a store. Logins are changed by compare-and-swap: [`load`](Self::load), then
/// [`commit`](Self::commit) against the version that was loaded; that alone keeps programs from
/// undoing each other's changes. A [`lease`](Self::lease) only saves them from doing the same work
/// twice, and notices ([`post`](Self::post)) tell what programs wait for. None of these changes a
/// version. Run a store of your own through [`conformance::check`](super::conformance::check).
///
/// ```
/// use std::collections::HashMap;
/// use async_trait::async_trait;
/// use globus_login::{GlobusApp, Login, LoginStore, StoreError, UserKey, Version, Versioned};
/// use tokio::sync::Mutex;
///
/// /// A database, in a few words: a `Login` can be serialised with serde.
/// #[derive(Debug, Default)]
/// struct Database(Mutex<HashMap<UserKey, String>>);
///
/// fn read(row: Option<&String>) -> Result<Versioned, StoreError> {
///     let login = row.map(|row| serde_json::from_str(row)).transpose();
///     Ok(Versioned::of(login.map_err(|error| StoreError::damaged("a row", error))?.unwrap_or_default()))
/// }
///
/// #[async_trait]
/// impl LoginStore for Database {
///     async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
///         read(self.0.lock().await.get(user))
///     }
///
///     async fn commit(
///         &self,
///         user: &UserKey,
///         base: &Version,
///         login: &Login,
///     ) -> Result<Option<Version>, StoreError> {
///         let mut rows = self.0.lock().await;
///         if read(rows.get(user))?.version != *base {
///             return Ok(None);
///         }
///         let row = serde_json::to_string(login).map_err(|error| StoreError::damaged("a row", error))?;
///         rows.insert(user.clone(), row);
///         Ok(Some(Version::of(login)))
///     }
/// }
///
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").store(Database::default()).build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
#[async_trait]
pub trait LoginStore: Debug + Send + Sync + 'static {
    /// Reads what is kept of a user. If nothing is, that is an empty login at [`Version::NONE`].
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError>;

    /// Replaces what is kept of a user, if it is still at version `base`, and gives the new version.
    /// `None`: somebody else was faster. Load it again, and make the change anew.
    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError>;

    /// Takes the lease for some work, unless somebody else has it. The holder may take it again.
    ///
    /// Nobody waits for a holder that died longer than for `ttl`. By default no leases are kept:
    /// everybody gets one at once.
    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let _ = (user, work, holder, ttl);
        Ok(Leased::Held)
    }

    /// Has a lease last for `ttl` from now on. `false`: it is not the holder's any more.
    async fn extend(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let _ = (user, work, holder, ttl);
        Ok(true)
    }

    /// Ends a lease, if it is still the holder's.
    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let _ = (user, work, holder);
        Ok(())
    }

    /// Leaves a notice that a program waits for a login, for `ttl`; it replaces an earlier one of
    /// the same holder. By default notices are not kept.
    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let _ = (user, waiting, ttl);
        Ok(())
    }

    /// The notices for a user.
    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let _ = user;
        Ok(Vec::new())
    }

    /// Takes the notice of a holder away.
    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let _ = (user, by);
        Ok(())
    }

    /// Waits until the version is another than `seen`. By default the store is read every 5 seconds.
    async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
        while self.load(user).await?.version == *seen {
            tokio::time::sleep(jittered(POLL)).await;
        }
        Ok(())
    }

    /// The [revision](super::Login::revision) of a user that is at hand without waiting, if
    /// the store has it in memory. It is asked for at each request of a user, and so counts as a
    /// use where users are forgotten. By default the program remembers what it loaded last.
    fn revision(&self, user: &UserKey) -> Option<u64> {
        let _ = user;
        None
    }

    /// Puts what is [damaged](StoreError::damaged) aside, so that the store can be used again, and
    /// gives the place where it is now. Called after the person asked for it: by a forced login or a
    /// logout. By default nothing can be put aside.
    async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        let _ = user;
        Ok(None)
    }
}

/// Between three quarters and five quarters of a time: programs that began together do not go on
/// together.
pub(crate) fn jittered(time: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) % 512).unwrap_or(256);
    time * (768 + random) / 1024
}

/// Makes a [`LoginStore`] of a type that has one.
macro_rules! forward {
    ([$($generic:ident)?] $type:ty, $store:ident => $to:expr) => {
        #[async_trait::async_trait]
        impl$(<$generic: LoginStore + ?Sized>)? LoginStore for $type {
            async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
                { let $store = self; &$to }.load(user).await
            }

            async fn commit(
                &self,
                user: &UserKey,
                base: &Version,
                login: &Login,
            ) -> Result<Option<Version>, StoreError> {
                { let $store = self; &$to }.commit(user, base, login).await
            }

            async fn lease(
                &self,
                user: &UserKey,
                work: Work,
                holder: &Holder,
                ttl: Duration,
            ) -> Result<Leased, StoreError> {
                { let $store = self; &$to }.lease(user, work, holder, ttl).await
            }

            async fn extend(
                &self,
                user: &UserKey,
                work: Work,
                holder: &Holder,
                ttl: Duration,
            ) -> Result<bool, StoreError> {
                { let $store = self; &$to }.extend(user, work, holder, ttl).await
            }

            async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
                { let $store = self; &$to }.release(user, work, holder).await
            }

            async fn post(
                &self,
                user: &UserKey,
                waiting: &Waiting,
                ttl: Duration,
            ) -> Result<(), StoreError> {
                { let $store = self; &$to }.post(user, waiting, ttl).await
            }

            async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
                { let $store = self; &$to }.waiting(user).await
            }

            async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
                { let $store = self; &$to }.withdraw(user, by).await
            }

            async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
                { let $store = self; &$to }.changed(user, seen).await
            }

            fn revision(&self, user: &UserKey) -> Option<u64> {
                { let $store = self; &$to }.revision(user)
            }

            async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
                { let $store = self; &$to }.set_aside(user).await
            }
        }
    };
}
pub(super) use forward;

forward!([S] Arc<S>, store => **store);
