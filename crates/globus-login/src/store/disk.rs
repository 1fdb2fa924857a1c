//! Stores on a disk. Their calls run on blocking threads. Leases and notices are named texts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lease::{Claim, Observed};
use super::{
    Holder, Leased, Login, LoginStore, StoreError, UserKey, Version, Versioned, Waiting, Work,
};

/// A store with blocking calls.
pub(super) trait Disk: Send + Sync + 'static {
    fn read(&self, user: &UserKey) -> Result<Login, StoreError>;

    fn swap(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError>;

    /// Runs `work` on the claims of a user, under a lock.
    fn with_claims<T>(
        &self,
        user: &UserKey,
        work: impl FnOnce(&mut dyn Claims) -> Result<T, StoreError>,
    ) -> Result<T, StoreError>;

    fn put_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError>;

    fn observed(&self) -> &Observed;
}

/// The leases and notices of a user.
pub(super) trait Claims {
    fn names(&self) -> Result<Vec<String>, StoreError>;
    fn get(&self, name: &str) -> Result<Option<String>, StoreError>;
    fn set(&mut self, name: &str, text: &str) -> Result<(), StoreError>;
    fn remove(&mut self, name: &str) -> Result<(), StoreError>;

    /// Records that this process holds a lease.
    fn hold(&mut self, name: &str) {
        let _ = name;
    }

    /// Whether the process on this machine that held the lease has ended.
    fn is_abandoned(&self, name: &str) -> bool {
        let _ = name;
        false
    }
}

/// The [`LoginStore`] on a [`Disk`].
pub(super) struct OnDisk<D>(pub(super) Arc<D>);

impl<D: Disk> OnDisk<D> {
    /// Runs `work` on a blocking thread.
    async fn run<T: Send + 'static>(
        &self,
        user: &UserKey,
        work: impl FnOnce(&D, &UserKey) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (disk, user) = (Arc::clone(&self.0), user.clone());
        tokio::task::spawn_blocking(move || work(&disk, &user))
            .await
            .map_err(|error| {
                StoreError::unavailable("a call of the login store did not end", error)
            })?
    }
}

#[async_trait]
impl<D: Disk> LoginStore for OnDisk<D> {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let load = |disk: &D, user: &UserKey| Ok(Versioned::of(disk.read(user)?));
        self.run(user, load).await
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let (base, login) = (base.clone(), login.clone());
        let swap = move |disk: &D, user: &UserKey| disk.swap(user, &base, &login);
        self.run(user, swap).await
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let (holder, name) = (holder.clone(), work.as_str());
        let lease = move |disk: &D, user: &UserKey| {
            let place = place(user, name);
            disk.with_claims(user, |claims| {
                if let Some(claim) = read::<Holder>(claims, name)?
                    && claim.by.id() != holder.id()
                {
                    let remaining = disk.observed().remaining(&place, &claim);
                    let is_over = claim.by.is_of_this_machine() && claims.is_abandoned(name);
                    if !remaining.is_zero() && !is_over {
                        let holder = claim.by;
                        return Ok(Leased::Busy { holder, remaining });
                    }
                }
                disk.observed().forget(&place);
                write(claims, name, Claim::new(&holder, ttl))?;
                claims.hold(name);
                Ok(Leased::Held)
            })
        };
        self.run(user, lease).await
    }

    async fn extend(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let (holder, name) = (holder.clone(), work.as_str());
        let extend = move |disk: &D, user: &UserKey| {
            disk.with_claims(user, |claims| {
                let is_ours = is_held(claims, name, &holder)?;
                if is_ours {
                    write(claims, name, Claim::new(&holder, ttl))?;
                }
                Ok(is_ours)
            })
        };
        self.run(user, extend).await
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let (holder, name) = (holder.clone(), work.as_str());
        let release = move |disk: &D, user: &UserKey| {
            disk.with_claims(user, |claims| {
                if is_held(claims, name, &holder)? {
                    claims.remove(name)?;
                }
                Ok(())
            })
        };
        self.run(user, release).await
    }

    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let waiting = waiting.clone();
        let post = move |disk: &D, user: &UserKey| {
            let name = notice(&waiting.by);
            disk.with_claims(user, |claims| {
                write(claims, &name, Claim::new(&waiting, ttl))
            })
        };
        self.run(user, post).await
    }

    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let waiting = |disk: &D, user: &UserKey| {
            disk.with_claims(user, |claims| {
                let mut all = Vec::new();
                for name in claims.names()? {
                    // Skips leases: they cannot be read as notices.
                    let Some(claim) = read::<Waiting>(claims, &name)? else {
                        continue;
                    };
                    let remaining = disk.observed().remaining(&place(user, &name), &claim);
                    if remaining.is_zero() {
                        claims.remove(&name)?;
                    } else {
                        all.push(claim.by);
                    }
                }
                Ok(all)
            })
        };
        self.run(user, waiting).await
    }

    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let name = notice(by);
        let withdraw =
            move |disk: &D, user: &UserKey| disk.with_claims(user, |claims| claims.remove(&name));
        self.run(user, withdraw).await
    }

    async fn set_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        self.run(user, |disk, user| disk.put_aside(user)).await
    }
}

impl<D> Clone for OnDisk<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D> fmt::Debug for OnDisk<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDisk")
    }
}

fn is_held(claims: &dyn Claims, name: &str, holder: &Holder) -> Result<bool, StoreError> {
    let held = read::<Holder>(claims, name)?;
    Ok(held.is_some_and(|claim| claim.by.id() == holder.id()))
}

fn notice(by: &Holder) -> String {
    format!("waiting-{}", by.id())
}

fn place(user: &UserKey, name: &str) -> String {
    format!("{} {name}", user.user())
}

fn read<T: DeserializeOwned>(
    claims: &dyn Claims,
    name: &str,
) -> Result<Option<Claim<T>>, StoreError> {
    let text = claims.get(name)?;
    // Ignores a text that a killed program left half written.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn write(
    claims: &mut dyn Claims,
    name: &str,
    claim: Claim<impl Serialize>,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(&claim)
        .map_err(|error| StoreError::damaged("a lease or a notice cannot be written", error))?;
    claims.set(name, &text)
}
