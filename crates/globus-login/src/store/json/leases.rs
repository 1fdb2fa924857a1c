//! Leases and notices: files of their own, in a directory beside the token file.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fs4::fs_std::FileExt;
use serde::de::DeserializeOwned;

use super::super::lease::{Claim, Observed};
use super::super::{Holder, Leased, StoreError, UserKey, Waiting, Work};
use super::cannot;
use super::lock::{Lock, open};
use super::path::{beside, file_name, resolve};

#[derive(Debug, Default)]
pub(super) struct Leases {
    observed: Observed,
    /// The leases of this process, each locked as long as it is held: others on this machine see
    /// at once that the holder has died.
    held: Mutex<HashMap<PathBuf, File>>,
}

impl Leases {
    pub(super) fn lease(
        &self,
        file: &Path,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let (_lock, path) = place(file, user, &format!("{}.lease", work.as_str()))?;
        let place = path.to_string_lossy();
        if let Some(claim) = read::<Holder>(&path)
            && claim.by.id() != holder.id()
        {
            let remaining = self.observed.remaining(&place, &claim);
            if !remaining.is_zero() && !has_died(&claim.by, &path) {
                return Ok(Leased::Busy {
                    holder: claim.by,
                    remaining,
                });
            }
        }
        self.observed.forget(&place);
        write(&path, &Claim::new(holder.clone(), ttl))?;
        let mut held = self.held();
        if !held.contains_key(&path)
            && let Ok(file) = open(&path)
        {
            // Where a stopped program still has the lock, the text alone counts.
            let _ = FileExt::try_lock_exclusive(&file);
            held.insert(path, file);
        }
        Ok(Leased::Held)
    }

    pub(super) fn extend(
        &self,
        file: &Path,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let (_lock, path) = place(file, user, &format!("{}.lease", work.as_str()))?;
        let is_ours = read::<Holder>(&path).is_some_and(|claim| claim.by.id() == holder.id());
        if is_ours {
            write(&path, &Claim::new(holder.clone(), ttl))?;
        }
        Ok(is_ours)
    }

    pub(super) fn release(
        &self,
        file: &Path,
        user: &UserKey,
        work: Work,
        holder: &Holder,
    ) -> Result<(), StoreError> {
        let (_lock, path) = place(file, user, &format!("{}.lease", work.as_str()))?;
        if read::<Holder>(&path).is_some_and(|claim| claim.by.id() == holder.id()) {
            remove(&path)?;
            self.held().remove(&path);
        }
        Ok(())
    }

    pub(super) fn post(
        &self,
        file: &Path,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let (_lock, path) = place(file, user, &notice(&waiting.by))?;
        write(&path, &Claim::new(waiting.clone(), ttl))
    }

    pub(super) fn waiting(&self, file: &Path, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let prefix = format!("{}.", file_name(user.user()));
        let mut all = Vec::new();
        for entry in fs::read_dir(directory(file))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with(&prefix) || !name.ends_with(".waiting") {
                continue;
            }
            let Some(claim) = read::<Waiting>(&entry.path()) else {
                continue;
            };
            if self.observed.remaining(&name, &claim).is_zero() {
                let _ = fs::remove_file(entry.path());
                self.observed.forget(&name);
            } else {
                all.push(claim.by);
            }
        }
        Ok(all)
    }

    pub(super) fn withdraw(
        &self,
        file: &Path,
        user: &UserKey,
        by: &Holder,
    ) -> Result<(), StoreError> {
        let (_lock, path) = place(file, user, &notice(by))?;
        remove(&path)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn directory(file: &Path) -> PathBuf {
    beside(&resolve(file), ".d")
}

fn notice(by: &Holder) -> String {
    format!("{}.waiting", file_name(by.id()))
}

/// The lock of the directory, and the path of a file in it.
fn place(file: &Path, user: &UserKey, end: &str) -> Result<(Lock, PathBuf), StoreError> {
    let directory = directory(file);
    let lock = Lock::wait(&directory.join("lock"))?;
    let name = format!("{}.{end}", file_name(user.user()));
    Ok((lock, directory.join(name)))
}

/// Whether the holder ran on this machine, and runs no more.
fn has_died(holder: &Holder, path: &Path) -> bool {
    let is_free = || open(path).and_then(|file| FileExt::try_lock_exclusive(&file));
    holder.is_of_this_machine() && is_free().unwrap_or(false)
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<Claim<T>> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes into the file that is there: whoever has it locked keeps it.
fn write<T: serde::Serialize>(path: &Path, claim: &Claim<T>) -> Result<(), StoreError> {
    let written = || {
        let text = serde_json::to_vec(claim)?;
        let mut file = open(path)?;
        file.set_len(0)?;
        io::Write::write_all(&mut file, &text)
    };
    written().map_err(|error| StoreError::unavailable(cannot(path, "written", error.kind()), error))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::unavailable(
            cannot(path, "removed", error.kind()),
            error,
        )),
        _ => Ok(()),
    }
}
