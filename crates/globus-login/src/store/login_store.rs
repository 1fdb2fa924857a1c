use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Holder, Leased, Login, StoreError, UserKey, Version, Versioned, Waiting, Work};

/// How often `changed` reads a store that has no better way to wait.
const POLL: Duration = Duration::from_secs(5);

/// A store of logins: one [`Login`] for each [`UserKey`], with the tokens and a
/// [`LoginRecord`](super::LoginRecord) of the logins that brought them.
///
/// | store | logins are kept in | feature |
/// | --- | --- | --- |
/// | [`MemoryStore`](super::MemoryStore) | the memory of the program | |
/// | [`JsonStore`](super::JsonStore) | the Python SDK's token file | |
/// | `SqliteStore` | the Python SDK's token database | `sqlite` |
/// | `RedisStore` | Redis or Valkey, for several machines | `redis` |
///
/// Only [`load`](Self::load) and [`commit`](Self::commit) are required. Logins are changed by
/// compare-and-swap: `load`, then `commit` against the loaded version. That alone keeps programs
/// from undoing each other's changes. [Leases](Self::lease) only save double work, and
/// [notices](Self::post) show which programs wait for a login. Neither changes a version. Check a
/// store of your own with [`conformance::check`](crate::conformance::check).
///
/// ```
/// use std::collections::HashMap;
/// use async_trait::async_trait;
/// use globus_login::{GlobusApp, Login, LoginStore, StoreError, UserKey, Version, Versioned};
/// use tokio::sync::Mutex;
///
/// /// Stands for a database. A `Login` can be serialized with serde.
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
    /// Loads the login of a user. For an unknown user, an empty login at [`Version::NONE`].
    ///
    /// # Errors
    ///
    /// [`StoreError::unavailable`] if a later attempt may succeed, [`StoreError::damaged`] if only
    /// a person can repair the stored login. So do all methods.
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError>;

    /// Replaces the login of a user if its version is still `base`. Returns the new version.
    /// `None`: somebody else has committed since. The caller then loads the login again and repeats
    /// the change.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load). After an error, the login may have been replaced or not.
    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError>;

    /// Takes the lease for some work, unless another holder has it. The same holder may take it
    /// again.
    ///
    /// A lease expires after `ttl`, so that nobody waits longer for a program that died. By default
    /// no leases are kept: everybody gets one at once.
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

    /// Extends a lease to `ttl` from now. `false` if the holder no longer has it.
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

    /// Releases a lease, if the holder still has it.
    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let _ = (user, work, holder);
        Ok(())
    }

    /// Posts a notice that a program waits for a login. It replaces an earlier one of the same
    /// holder, and expires after `ttl`. By default notices are not kept.
    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let _ = (user, waiting, ttl);
        Ok(())
    }

    /// The notices for a user that have not expired.
    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let _ = user;
        Ok(Vec::new())
    }

    /// Removes the notice of a holder.
    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let _ = (user, by);
        Ok(())
    }

    /// Waits until the version differs from `seen`. By default reads the store every 5 seconds,
    /// with jitter.
    async fn changed(&self, user: &UserKey, seen: &Version) -> Result<(), StoreError> {
        while self.load(user).await?.version == *seen {
            tokio::time::sleep(jittered(POLL)).await;
        }
        Ok(())
    }

    /// A number that changes whenever the [revision](super::Login::revision) of the user does, if
    /// the store has one in memory. Must not wait. Called at each request of a user, so that it
    /// counts as a use of that user. By default the program uses the revision that it loaded last.
    fn revision(&self, user: &UserKey) -> Option<u64> {
        let _ = user;
        None
    }

    /// Sets a [damaged](StoreError::damaged) login aside, so that the store can be used again.
    /// Returns its new place. Called by a forced login and by a logout, which a person asks for. By
    /// default does nothing.
    async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        let _ = user;
        Ok(None)
    }
}

/// A random time between three quarters and five quarters of `time`, so that programs that began
/// together do not stay in step.
pub(crate) fn jittered(time: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) % 512).unwrap_or(256);
    time.saturating_mul(768 + random) / 1024
}

/// Implements [`LoginStore`] for a type that holds one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn longest_time_can_be_jittered() {
        assert!(jittered(Duration::MAX) > Duration::from_secs(1 << 50));
        let hour = Duration::from_secs(3600);
        let times = (0..100).map(|_| jittered(hour));
        assert!(
            times
                .into_iter()
                .all(|it| it >= hour * 3 / 4 && it <= hour * 5 / 4)
        );
    }
}
