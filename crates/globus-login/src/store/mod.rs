//! Where the tokens of a [`GlobusApp`](super::GlobusApp) are kept.

mod error;
mod json;
mod memory;
mod token;

pub use self::error::StoreError;
pub use self::json::JsonFileStore;
#[cfg(any(test, fuzzing))]
pub use self::json::token_file;
pub use self::memory::MemoryStore;
pub use self::token::{StoredToken, Tokens};

use std::sync::Arc;

use async_trait::async_trait;

/// What [`TokenStore::update`] does to the tokens of a namespace. It may be called
/// more than once, each time with the tokens as they are then.
pub type Change = Box<dyn FnMut(&mut Tokens) + Send>;

/// Keeps tokens: in memory ([`MemoryStore`]), in a file ([`JsonFileStore`]), or
/// wherever you like.
///
/// Tokens are kept by namespace, and in it by resource server, as in the Python
/// SDK. A namespace belongs to one person: `DEFAULT` to the app's own user, and
/// `identity/NAME` to a user whom the program names
/// ([`GareOptions::principal`](globus_gare::reauth::GareOptions::principal)).
///
/// ```
/// use std::collections::HashMap;
/// use async_trait::async_trait;
/// use globus_login::{Change, GlobusApp, StoreError, TokenStore, Tokens};
/// use tokio::sync::Mutex;
///
/// /// A database, in a few words: `Tokens` can be serialised with serde.
/// #[derive(Default)]
/// struct Database(Mutex<HashMap<String, String>>);
///
/// #[async_trait]
/// impl TokenStore for Database {
///     async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
///         let rows = self.0.lock().await;
///         let row = rows.get(namespace).map(String::as_str).unwrap_or("{}");
///         serde_json::from_str(row).map_err(|error| StoreError::new("a row cannot be read", error))
///     }
///
///     async fn update(&self, namespace: &str, mut change: Change) -> Result<(), StoreError> {
///         let mut rows = self.0.lock().await;
///         let row = rows.entry(namespace.to_owned()).or_insert_with(|| "{}".to_owned());
///         let failed = |error| StoreError::new("a row cannot be read", error);
///         let mut tokens = serde_json::from_str(row).map_err(failed)?;
///         change(&mut tokens);
///         *row = serde_json::to_string(&tokens).map_err(failed)?;
///         Ok(())
///     }
/// }
///
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").store(Database::default()).build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// The tokens of a namespace; none where there is no such namespace.
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError>;

    /// Changes the tokens of a namespace, so that no other change comes in between
    /// what `change` sees and what it leaves.
    async fn update(&self, namespace: &str, change: Change) -> Result<(), StoreError>;

    /// Waits until nobody else does this work for the namespace, and keeps others
    /// from it until what it returns is dropped. With it, programs that share a
    /// store log in once between them. By default everybody may work at once.
    async fn lock(&self, namespace: &str, work: Work) -> Result<Box<dyn StoreLock>, StoreError> {
        let _ = (namespace, work);
        Ok(Box::new(()))
    }
}

/// Work that only one should do at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// A login. A person may take minutes.
    Login,
    /// The exchange of a refresh token: some seconds.
    Renewal,
}

/// Exclusive work: what [`TokenStore::lock`] gives. It ends when this is dropped.
///
/// A login leaves a note of what it was for, so that whoever waited knows whether
/// it has to log in too. The note holds no secret.
pub trait StoreLock: Send + Sync {
    /// What the last one to hold the lock left; by default nothing.
    fn note(&self) -> Option<String> {
        None
    }

    /// Leaves a note for the next one; by default it is forgotten.
    fn leave_note(&mut self, note: &str) -> Result<(), StoreError> {
        let _ = note;
        Ok(())
    }
}

impl StoreLock for () {}

#[async_trait]
impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        (**self).load(namespace).await
    }

    async fn update(&self, namespace: &str, change: Change) -> Result<(), StoreError> {
        (**self).update(namespace, change).await
    }

    async fn lock(&self, namespace: &str, work: Work) -> Result<Box<dyn StoreLock>, StoreError> {
        (**self).lock(namespace, work).await
    }
}
