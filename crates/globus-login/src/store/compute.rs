//! The database in which Globus Compute keeps its login.

use std::path::PathBuf;

use super::{SqliteStore, StoreError, UserKey};

/// The environment variable for another directory than `~/.globus_compute`.
const DIRECTORY: &str = "GLOBUS_COMPUTE_USER_DIR";

/// The names of users in a database.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Namespaces {
    /// Those of their keys.
    #[default]
    Users,
    /// The name that Globus Compute uses for a person.
    ComputeUser,
    /// The name that Globus Compute uses for a client.
    ComputeClient,
}

impl Namespaces {
    /// The key of `user` with its name in the database.
    pub(super) fn named(self, user: &UserKey) -> UserKey {
        let (environment, client) = (user.environment(), user.client());
        let own = match self {
            Self::Users => return user.clone(),
            Self::ComputeUser => format!("user/{environment}"),
            Self::ComputeClient => format!("clientprofile/{environment}/{client}"),
        };
        let name = match user.is_own() {
            true => own,
            // Globus Compute has no other users.
            false => format!("{own}/{}", user.user()),
        };
        UserKey::new(environment, client, name)
    }
}

impl SqliteStore {
    /// Makes a store on the database of Globus Compute's SDK and CLI: `storage.db` in
    /// `~/.globus_compute`, or in the directory that `GLOBUS_COMPUTE_USER_DIR` names. The app's own
    /// user is the person who is logged in there: the namespace is `user/{environment}`.
    ///
    /// [`GlobusApp::for_globus_compute`](crate::GlobusApp::for_globus_compute) makes an app with
    /// it.
    ///
    /// # Errors
    ///
    /// If there is no home directory.
    pub fn for_globus_compute() -> Result<Self, StoreError> {
        Ok(Self::of(path()?, Namespaces::ComputeUser))
    }

    /// As [`for_globus_compute`](Self::for_globus_compute), for the tokens of a client that acts
    /// for itself: the namespace is `clientprofile/{environment}/{client id}`.
    ///
    /// # Errors
    ///
    /// If there is no home directory.
    pub fn for_globus_compute_client() -> Result<Self, StoreError> {
        Ok(Self::of(path()?, Namespaces::ComputeClient))
    }
}

fn path() -> Result<PathBuf, StoreError> {
    let named = std::env::var_os(DIRECTORY).filter(|named| !named.is_empty());
    let directory = match named {
        Some(named) => Some(PathBuf::from(named)),
        None => std::env::home_dir().map(|home| home.join(".globus_compute")),
    };
    let directory = directory.ok_or_else(|| {
        StoreError::because(format!(
            "there is no home directory for the token database: set HOME, or {DIRECTORY}"
        ))
    })?;
    Ok(directory.join("storage.db"))
}
