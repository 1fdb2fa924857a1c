//! The token file of globus-sdk-python 4.x.

mod document;
mod file;
mod leases;
mod lock;
mod path;

#[cfg(any(test, fuzzing))]
pub use self::document::token_file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::file::TokenFile;
use self::leases::{Files, Held};
use super::disk::{Claims, Disk, OnDisk};
use super::lease::Observed;
use super::login_store::forward;
use super::{
    Holder, Leased, Login, LoginStore, StoreError, UserKey, Version, Versioned, Waiting, Work,
};

/// Keeps logins in a JSON file, in the format of globus-sdk-python 4.x.
///
/// Python and Rust programs with the same client id share a login through it:
/// `JSONTokenStorage` there, and `UserApp`, whose file
/// [`for_app`](Self::for_app) finds. Format 2.0 is written; 1.0 is read, and
/// becomes 2.0 with the next change. The records are a root member of the file, which Python
/// writes back as it finds it. A file belongs to one client: of a [`UserKey`] only the user is used.
///
/// # What holds
///
/// - The file is readable by its owner alone (0600), and replaced as a whole: a
///   reader, or a program that is killed while it writes, never leaves or sees a
///   part of it. A symbolic link stays one: the file that it leads to is replaced.
/// - Programs that use this type write one after another, by a lock (`flock`) on
///   `FILE.lock` beside it, and lose nothing of each other. Leases and notices are files in
///   `FILE.d/`.
/// - Permissions that others have are taken away when the file is next read, with a warning (an
///   event of `tracing`): those of the file, of `FILE.d/`, and of the directory that
///   [`for_app`](Self::for_app) gives an app. A symbolic link in the place of a lock, a lease or a
///   notice is an error.
/// - Other namespaces, unknown members and their order stay as they are.
/// - A file that cannot be read is never overwritten. A forced login and a logout rename it to
///   `FILE.damaged-DATE`.
///
/// The Python SDK itself neither locks nor replaces: it reads the file, empties it
/// and writes it. What it writes while we read is waited for. What it wrote into the file that we
/// replaced meanwhile is merged, and what it took back of ours, by writing what it had read
/// earlier, is written again when this handle reads the file next. A Python program avoids both by
/// taking the same lock: `fcntl.flock` on `FILE.lock` around
/// `store_token_data_by_resource_server` and `remove_token_data`.
///
/// # Clone
///
/// Clones are the same handle.
#[derive(Clone)]
pub struct JsonStore(OnDisk<Shared>);

struct Shared {
    file: TokenFile,
    held: Held,
    observed: Observed,
}

impl JsonStore {
    /// The store in `path`; the file and its directory are made when there is
    /// something to keep.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(TokenFile::new(path.into(), false))
    }

    /// The store of the app with this client id and name, where the Python SDK has
    /// it: `~/.globus/app/CLIENT_ID/APP_NAME/tokens.json`, and on Windows below
    /// `%LOCALAPPDATA%\globus\app`. Outside of production the file's name begins
    /// with the environment (`GLOBUS_SDK_ENVIRONMENT`).
    ///
    /// # Errors
    ///
    /// Where there is no home directory, or the name cannot be one of a file.
    pub fn for_app(client_id: &str, app_name: &str) -> Result<Self, StoreError> {
        let path = path::of_app(client_id, app_name, |name| std::env::var_os(name))?;
        Ok(Self::of(TokenFile::new(path, true)))
    }

    fn of(file: TokenFile) -> Self {
        Self(OnDisk(Arc::new(Shared {
            file,
            held: Held::default(),
            observed: Observed::default(),
        })))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.0.0.file.path()
    }
}

impl Disk for Shared {
    fn read(&self, user: &UserKey) -> Result<Login, StoreError> {
        Ok(self.file.read()?.login(user.user()))
    }

    fn swap(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let mut is_base = false;
        let written = self.file.change(&mut |document| {
            is_base = Version::of(&document.login(user.user())) == *base;
            if !is_base {
                return Ok(None);
            }
            let mut next = document.clone();
            next.set(user.user(), login)?;
            Ok(Some(next))
        })?;
        Ok(is_base.then(|| Version::of(&written.login(user.user()))))
    }

    fn with_claims<T>(
        &self,
        user: &UserKey,
        work: impl FnOnce(&mut dyn Claims) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&mut Files::of(self.file.path(), user, &self.held)?)
    }

    fn put_aside(&self) -> Result<Option<String>, StoreError> {
        let aside = self.file.set_aside()?;
        Ok(aside.map(|path| path.display().to_string()))
    }

    fn observed(&self) -> &Observed {
        &self.observed
    }
}

forward!([] JsonStore, store => store.0);

impl fmt::Debug for JsonStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStore")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
