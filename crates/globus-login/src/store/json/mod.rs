//! The token file of globus-sdk-python 4.x.

mod document;
mod file;
mod leases;
mod lock;
mod path;
mod sealed;

#[cfg(any(test, fuzzing))]
pub use self::document::token_file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::file::TokenFile;
use self::leases::{Files, Held};
#[cfg(feature = "seal")]
use super::Sealer;
use super::disk::{Claims, Disk, OnDisk};
use super::files::moment;
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
    #[cfg(feature = "seal")]
    sealer: Option<Sealer>,
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

    /// The same file with logins that `sealer` encrypts: without its key they are worth nothing. Programs
    /// of the Python SDK do not read them. A login that is in the file in plain text is sealed with its next
    /// change. A sealed login cannot be moved to another user; who can write the whole file can put an earlier
    /// one in its place.
    ///
    /// ```
    /// use globus_login::{JsonStore, Sealer};
    ///
    /// let sealer: Sealer = "2026-11:q8cXjWmFf0yTGl6wqC8r1m5m0l2bqJ0aTzKsq2p2Y3s=".parse()?;
    /// let store = JsonStore::new("tokens.json").sealed(sealer);
    /// # Ok::<(), globus_login::SealError>(())
    /// ```
    #[cfg(feature = "seal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
    pub fn sealed(self, sealer: Sealer) -> Self {
        let file = self.0.0.file.opened_again();
        Self(OnDisk(Arc::new(Shared {
            sealer: Some(sealer),
            ..Shared::of(file)
        })))
    }

    fn of(file: TokenFile) -> Self {
        Self(OnDisk(Arc::new(Shared::of(file))))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.0.0.file.path()
    }
}

impl Shared {
    fn of(file: TokenFile) -> Self {
        Self {
            file,
            held: Held::default(),
            observed: Observed::default(),
            #[cfg(feature = "seal")]
            sealer: None,
        }
    }
}

impl Disk for Shared {
    fn read(&self, user: &UserKey) -> Result<Login, StoreError> {
        self.login_in(&self.file.read()?, user)
    }

    fn swap(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let mut is_base = Ok(false);
        let written = self.file.change(&mut |document| {
            let held = self.login_in(document, user);
            is_base = held.map(|held| Version::of(&held) == *base);
            if !matches!(is_base, Ok(true)) {
                return Ok(None);
            }
            let mut next = document.clone();
            self.set_in(&mut next, user, login)?;
            Ok(Some(next))
        })?;
        match is_base? {
            true => Ok(Some(Version::of(&self.login_in(&written, user)?))),
            false => Ok(None),
        }
    }

    fn with_claims<T>(
        &self,
        user: &UserKey,
        work: impl FnOnce(&mut dyn Claims) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&mut Files::of(self.file.path(), user, &self.held)?)
    }

    fn put_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        if let Some(aside) = self.file.set_aside()? {
            return Ok(Some(aside.display().to_string()));
        }
        let aside = self.set_sealed_aside(user, &moment(SystemTime::now()))?;
        let path = self.file.path().display();
        Ok(aside.map(|name| format!("{path}, as {name}")))
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
