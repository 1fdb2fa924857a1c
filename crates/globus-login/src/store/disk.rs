//! Stores on a disk, which work on threads of their own. Leases and notices are texts with names.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lease::{Claim, Observed};
use super::{Holder, Leased, Login, StoreError, UserKey, Version, Waiting, Work};

/// A store whose calls wait for a disk.
pub(super) trait Disk: Send + Sync + 'static {
    fn read(&self, user: &UserKey) -> Result<Login, StoreError>;

    fn swap(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError>;

    /// Runs `work` on the claims of a user while nobody else can change them.
    fn with_claims(
        &self,
        user: &UserKey,
        work: &mut dyn FnMut(&mut dyn Claims) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    fn put_aside(&self) -> Result<Option<String>, StoreError>;

    fn observed(&self) -> &Observed;
}

/// The leases and notices of a user.
pub(super) trait Claims {
    fn names(&self) -> Result<Vec<String>, StoreError>;
    fn get(&self, name: &str) -> Result<Option<String>, StoreError>;
    fn set(&mut self, name: &str, text: &str) -> Result<(), StoreError>;
    fn remove(&mut self, name: &str) -> Result<(), StoreError>;

    /// Keeps in mind that this process holds a lease.
    fn hold(&mut self, name: &str) {
        let _ = name;
    }

    /// Whether the process of this machine that held a lease is known to have ended.
    fn is_abandoned(&self, name: &str) -> bool {
        let _ = name;
        false
    }
}

/// Runs `work` where waiting stops nobody else.
pub(super) async fn on_a_thread<D: Disk, T: Send + 'static>(
    disk: &Arc<D>,
    work: impl FnOnce(&D) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let disk = Arc::clone(disk);
    tokio::task::spawn_blocking(move || work(&disk))
        .await
        .map_err(|error| StoreError::unavailable("the login store was not worked on", error))?
}

pub(super) fn lease(
    disk: &impl Disk,
    user: &UserKey,
    work: Work,
    holder: &Holder,
    ttl: Duration,
) -> Result<Leased, StoreError> {
    let (name, mut leased) = (work.as_str(), Leased::Held);
    disk.with_claims(user, &mut |claims| {
        if let Some(claim) = read::<Holder>(claims, name)?
            && claim.by.id() != holder.id()
        {
            let remaining = disk.observed().remaining(&place(user, name), &claim);
            let is_over = claim.by.is_of_this_machine() && claims.is_abandoned(name);
            if !remaining.is_zero() && !is_over {
                let holder = claim.by;
                leased = Leased::Busy { holder, remaining };
                return Ok(());
            }
        }
        disk.observed().forget(&place(user, name));
        write(claims, name, Claim::new(holder, ttl))?;
        claims.hold(name);
        Ok(())
    })?;
    Ok(leased)
}

pub(super) fn extend(
    disk: &impl Disk,
    user: &UserKey,
    work: Work,
    holder: &Holder,
    ttl: Duration,
) -> Result<bool, StoreError> {
    let (name, mut is_ours) = (work.as_str(), false);
    disk.with_claims(user, &mut |claims| {
        let held = read::<Holder>(claims, name)?;
        is_ours = held.is_some_and(|claim| claim.by.id() == holder.id());
        if is_ours {
            write(claims, name, Claim::new(holder, ttl))?;
        }
        Ok(())
    })?;
    Ok(is_ours)
}

pub(super) fn release(
    disk: &impl Disk,
    user: &UserKey,
    work: Work,
    holder: &Holder,
) -> Result<(), StoreError> {
    disk.with_claims(user, &mut |claims| {
        let held = read::<Holder>(claims, work.as_str())?;
        if held.is_some_and(|claim| claim.by.id() == holder.id()) {
            claims.remove(work.as_str())?;
        }
        Ok(())
    })
}

pub(super) fn post(
    disk: &impl Disk,
    user: &UserKey,
    waiting: &Waiting,
    ttl: Duration,
) -> Result<(), StoreError> {
    let name = notice(&waiting.by);
    disk.with_claims(user, &mut |claims| {
        write(claims, &name, Claim::new(waiting, ttl))
    })
}

pub(super) fn waiting(disk: &impl Disk, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
    let mut all = Vec::new();
    disk.with_claims(user, &mut |claims| {
        for name in claims.names()? {
            // A lease is no notice, and cannot be read as one.
            let Some(claim) = read::<Waiting>(claims, &name)? else {
                continue;
            };
            if disk
                .observed()
                .remaining(&place(user, &name), &claim)
                .is_zero()
            {
                claims.remove(&name)?;
            } else {
                all.push(claim.by);
            }
        }
        Ok(())
    })?;
    Ok(all)
}

pub(super) fn withdraw(disk: &impl Disk, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
    disk.with_claims(user, &mut |claims| claims.remove(&notice(by)))
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
    // What a killed program has left half written is nobody's.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn write(
    claims: &mut dyn Claims,
    name: &str,
    claim: Claim<impl Serialize>,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(&claim)
        .map_err(|error| StoreError::damaged("a lease cannot be written", error))?;
    claims.set(name, &text)
}

/// Makes a [`LoginStore`](super::LoginStore) of a struct with an [`Arc`] of a [`Disk`].
macro_rules! login_store_on_disk {
    ($store:ident) => {
        #[async_trait::async_trait]
        impl LoginStore for $store {
            async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
                let user = user.clone();
                disk::on_a_thread(&self.0, move |it| Ok(Versioned::of(it.read(&user)?))).await
            }

            async fn commit(
                &self,
                user: &UserKey,
                base: &Version,
                login: &Login,
            ) -> Result<Option<Version>, StoreError> {
                let (user, base, login) = (user.clone(), base.clone(), login.clone());
                disk::on_a_thread(&self.0, move |it| it.swap(&user, &base, &login)).await
            }

            async fn lease(
                &self,
                user: &UserKey,
                work: Work,
                holder: &Holder,
                ttl: Duration,
            ) -> Result<Leased, StoreError> {
                let (user, holder) = (user.clone(), holder.clone());
                let leased = move |it: &_| disk::lease(it, &user, work, &holder, ttl);
                disk::on_a_thread(&self.0, leased).await
            }

            async fn extend(
                &self,
                user: &UserKey,
                work: Work,
                holder: &Holder,
                ttl: Duration,
            ) -> Result<bool, StoreError> {
                let (user, holder) = (user.clone(), holder.clone());
                let extended = move |it: &_| disk::extend(it, &user, work, &holder, ttl);
                disk::on_a_thread(&self.0, extended).await
            }

            async fn release(
                &self,
                user: &UserKey,
                work: Work,
                holder: &Holder,
            ) -> Result<(), StoreError> {
                let (user, holder) = (user.clone(), holder.clone());
                let released = move |it: &_| disk::release(it, &user, work, &holder);
                disk::on_a_thread(&self.0, released).await
            }

            async fn post(
                &self,
                user: &UserKey,
                waiting: &Waiting,
                ttl: Duration,
            ) -> Result<(), StoreError> {
                let (user, waiting) = (user.clone(), waiting.clone());
                disk::on_a_thread(&self.0, move |it| disk::post(it, &user, &waiting, ttl)).await
            }

            async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
                let user = user.clone();
                disk::on_a_thread(&self.0, move |it| disk::waiting(it, &user)).await
            }

            async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
                let (user, by) = (user.clone(), by.clone());
                disk::on_a_thread(&self.0, move |it| disk::withdraw(it, &user, &by)).await
            }

            async fn set_aside(&self, _: &UserKey) -> Result<Option<String>, StoreError> {
                disk::on_a_thread(&self.0, |it| it.put_aside()).await
            }
        }
    };
}
pub(super) use login_store_on_disk;
