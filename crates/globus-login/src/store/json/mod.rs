//! The token file of globus-sdk-python 4.x.

mod document;
mod file;
mod lock;
mod ordered;
mod path;
mod python;

#[cfg(any(test, fuzzing))]
pub use self::document::token_file;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use self::file::TokenFile;
use super::{Change, StoreError, StoreLock, TokenStore, Tokens, Work};

/// Keeps tokens in a JSON file, in the format of globus-sdk-python 4.x.
///
/// Python and Rust programs with the same client id share a login through it:
/// `JSONTokenStorage` there, and `UserApp`, whose file
/// [`for_app`](Self::for_app) finds. Format 2.0 is written; 1.0 is read, and
/// becomes 2.0 with the next change.
///
/// # What holds
///
/// - The file is readable by its owner alone (0600), and replaced as a whole: a
///   reader, or a program that is killed while it writes, never leaves or sees a
///   part of it.
/// - Programs that use this type take turns, by a lock (`flock`) on
///   `FILE.lock` beside it, and lose nothing of each other.
/// - What is there and not ours stays: other namespaces, unknown fields, the
///   order, byte for byte as Python writes it.
/// - A file that cannot be read is never overwritten.
///
/// The Python SDK itself neither locks nor replaces: it reads the file, empties it
/// and writes it. What it writes while we read is waited for, and a change of its
/// own between our reading and our writing is seen and kept. What it writes back
/// from a reading that is older than our change undoes our change, and nothing on
/// our side can prevent that; a program that kept the token in memory goes on, and
/// otherwise the next request logs in again. A Python program avoids it by taking
/// the same lock: `fcntl.flock` on `FILE.lock` around
/// `store_token_data_by_resource_server` and `remove_token_data`.
#[derive(Clone, Debug)]
pub struct JsonFileStore {
    file: TokenFile,
}

impl JsonFileStore {
    /// The store in `path`; the file and its directory are made when there is
    /// something to keep.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            file: TokenFile::new(path.into()),
        }
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
        path::of_app(client_id, app_name, |name| std::env::var_os(name)).map(Self::new)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

#[async_trait]
impl TokenStore for JsonFileStore {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        let (file, namespace) = (self.file.clone(), namespace.to_owned());
        blocking(move || Ok(file.read()?.tokens(&namespace))).await
    }

    async fn update(&self, namespace: &str, mut change: Change) -> Result<(), StoreError> {
        let (file, namespace) = (self.file.clone(), namespace.to_owned());
        blocking(move || {
            file.change(&mut |document| {
                let before = document.tokens(&namespace);
                let mut after = before.clone();
                change(&mut after);
                document.set(&namespace, &before, &after)
            })
        })
        .await
    }

    async fn lock(&self, namespace: &str, work: Work) -> Result<Box<dyn StoreLock>, StoreError> {
        let path = lock::path(self.path(), namespace, work);
        Ok(Box::new(lock::wait(path).await?))
    }
}

/// Files are worked on where waiting stops nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::new("the token file could not be worked on", error))?
}
