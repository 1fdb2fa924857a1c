//! A store in the token file of globus-sdk-python 4.x.

mod document;
mod file;
mod leases;
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
use globus_gare::Environment;

/// A store in a JSON file, in the format of globus-sdk-python 4.x.
///
/// Python and Rust programs with the same client id share a login through the file. In Python,
/// these are programs with `JSONTokenStorage` or `UserApp`; [`for_app`](Self::for_app) finds the
/// file of a `UserApp`. The store writes format 2.0. It reads format 1.0, and converts it with the
/// next change. The records are in a root member of the file, which Python writes back unchanged. A
/// file belongs to one client: of a [`UserKey`], only the user is used.
///
/// # Guarantees
///
/// - Only the owner can read the file (0600). The store replaces the file as a whole: no reader
///   sees a part of it, even if a program is killed while it writes. A symbolic link stays a link:
///   the store replaces its target.
/// - Programs with this store write one after another, under a lock (`flock`) on `FILE.lock`, and
///   lose none of each other's changes. Leases and notices are files in `FILE.d/`.
/// - The next read or commit removes the permissions of other users from the file and from the
///   directory of an app ([`for_app`](Self::for_app)), with a WARN event. The next lease or notice
///   does so for `FILE.d/`. A symbolic link in place of a lock, a lease or a notice is an error.
/// - Other namespaces, unknown members and their order stay as they are.
/// - A file that cannot be read is never overwritten. A forced login and a logout rename it to
///   `FILE.damaged-DATE`. If only the record of one user cannot be read, they move that record to
///   another member of the file, and the tokens stay.
///
/// # Python programs
///
/// The Python SDK takes no lock, and does not replace the file: it reads the file, empties it, and
/// writes it. The store waits for a file that Python is writing. It merges what Python writes into
/// a file that was just replaced. If Python undoes a change, by writing what it had read before,
/// this handle writes the change again at its next read. A Python program avoids both by taking the
/// same lock: `fcntl.flock` on `FILE.lock` around `store_token_data_by_resource_server` and
/// `remove_token_data`.
///
/// # Clone
///
/// Clones share one handle.
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
    /// Makes a store at `path`. The first commit creates the file; the first commit, lease or
    /// notice creates the directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(TokenFile::new(path.into(), false))
    }

    /// Makes the store of an app at the path that the Python SDK uses:
    /// `~/.globus/app/CLIENT_ID/APP_NAME/tokens.json`, on Windows below
    /// `%LOCALAPPDATA%\globus\app`. Outside production, the file's name begins with the environment
    /// (`GLOBUS_SDK_ENVIRONMENT`).
    ///
    /// # Errors
    ///
    /// If there is no home directory, or `app_name` cannot be the name of a directory.
    pub fn for_app(client_id: &str, app_name: &str) -> Result<Self, StoreError> {
        Self::for_app_in(Environment::from_env().name(), client_id, app_name)
    }

    /// As [`for_app`](Self::for_app), in the environment with this name.
    pub(crate) fn for_app_in(
        environment: &str,
        client_id: &str,
        app_name: &str,
    ) -> Result<Self, StoreError> {
        let variable = |name: &str| std::env::var_os(name);
        let path = path::of_app(environment, client_id, app_name, variable)?;
        Ok(Self::of(TokenFile::new(path, true)))
    }

    /// Encrypts the logins in the file with `sealer`. Programs with the Python SDK cannot read
    /// them.
    ///
    /// A login that is in the file in plain text is read, and sealed with its next change. A sealed
    /// login cannot be moved to another user. Somebody who can write the file can still replace a
    /// login by an earlier one, or by a login of their own in plain text, which the store accepts.
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

    /// The path of the file.
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
        self.file.change(&mut |document| {
            let held = self.login_in(document, user);
            is_base = held.map(|held| Version::of(&held) == *base);
            if !matches!(is_base, Ok(true)) {
                return Ok(None);
            }
            let mut next = document.clone();
            self.set_in(&mut next, user, login)?;
            Ok(Some(next))
        })?;
        // Another program may have changed the file since: that is another version.
        Ok(is_base?.then(|| Version::of(login)))
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
        let aside = self.set_login_aside(user, &moment(SystemTime::now()))?;
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
