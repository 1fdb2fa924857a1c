//! Leases and notices: one file each, in a directory beside the token file.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs4::fs_std::FileExt;

use super::super::disk::Claims;
use super::super::files::{beside, cannot};
use super::super::lock::Lock;
use super::super::private::{open, open_or_make, tighten};
use super::super::{StoreError, UserKey};
use super::path::{file_name, resolve};

/// The leases of this process. The file of each is locked while the lease is held, so that other
/// programs on this machine see at once that the holder has died.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<HashMap<PathBuf, File>>);

impl Held {
    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of one user, under the lock.
pub(super) struct Files<'a> {
    directory: PathBuf,
    user: String,
    held: &'a Held,
    _lock: Lock,
}

impl<'a> Files<'a> {
    pub(super) fn of(file: &Path, user: &UserKey, held: &'a Held) -> Result<Self, StoreError> {
        let directory = beside(&resolve(file), ".d");
        let lock = Lock::wait(&directory.join("lock"))?;
        tighten(&directory);
        Ok(Self {
            _lock: lock,
            user: format!("{}.", file_name(user.user())),
            directory,
            held,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        let name = format!("{}{name}", self.user);
        self.directory.join(name)
    }

    /// Writes into the existing file, so that a lock on it stays.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = open_or_make(&self.path(name))?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())
    }

    fn failed(&self, name: &str, done: &str, error: io::Error) -> StoreError {
        StoreError::unavailable(cannot(&self.path(name), done, error.kind()), error)
    }
}

impl Claims for Files<'_> {
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let ours = names.filter_map(|name| name.strip_prefix(&self.user).map(str::to_owned));
        Ok(ours.collect())
    }

    fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut text = Vec::new();
        let read = open(&self.path(name)).and_then(|mut file| file.read_to_end(&mut text));
        match read {
            Ok(_) => Ok(String::from_utf8(text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(name, "read", error)),
        }
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        self.write(name, text)
            .map_err(|error| self.failed(name, "written", error))
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.held.files().remove(&self.path(name));
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.failed(name, "removed", error))
            }
            _ => Ok(()),
        }
    }

    fn hold(&mut self, name: &str) {
        let (mut held, path) = (self.held.files(), self.path(name));
        // On other systems a lock also keeps others from reading.
        if !cfg!(unix) {
            return;
        }
        // The earlier lock may be on a file that was removed since.
        held.remove(&path);
        if let Ok(file) = open_to_lock(&path) {
            // If a stopped program still has the lock, only the text of the file counts.
            let _ = FileExt::try_lock_exclusive(&file);
            held.insert(path, file);
        }
    }

    fn is_abandoned(&self, name: &str) -> bool {
        if !cfg!(unix) {
            return false;
        }
        let path = self.path(name);
        let is_free = open_to_lock(&path).and_then(|file| FileExt::try_lock_exclusive(&file));
        is_free.unwrap_or(false) && !self.held.files().contains_key(&path)
    }
}

/// For writing: NFS refuses a lock on a file that is open for reading alone.
fn open_to_lock(path: &Path) -> io::Result<File> {
    open_or_make(path)
}
