//! The token database of globus-sdk-python 4.x.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json::{cannot, moment};
use super::lease::{Claim, Observed};
use super::{
    Holder, Leased, Login, LoginStore, StoreError, Tokens, UserKey, Version, Versioned, Waiting,
    Work,
};

/// How long others may take to write.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tables of the SDK, as it makes them.
const THEIRS: &str = "
    CREATE TABLE token_storage (
        namespace VARCHAR NOT NULL, resource_server VARCHAR NOT NULL,
        token_data_json VARCHAR NOT NULL, PRIMARY KEY (namespace, resource_server)
    );
    CREATE TABLE sdk_storage_adapter_internal (
        attribute VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY (attribute)
    );
    INSERT INTO sdk_storage_adapter_internal(attribute, value)
        VALUES ('globus-sdk.database_schema_version', '2');
";

/// Tables of our own: the SDK does not look at them.
const OURS: &str = "
    CREATE TABLE IF NOT EXISTS globus_gare_login (
        namespace VARCHAR NOT NULL PRIMARY KEY, record_json VARCHAR NOT NULL
    );
    CREATE TABLE IF NOT EXISTS globus_gare_claim (
        namespace VARCHAR NOT NULL, name VARCHAR NOT NULL, claim_json VARCHAR NOT NULL,
        PRIMARY KEY (namespace, name)
    );
";

/// Keeps logins in an SQLite database, in the schema of globus-sdk-python 4.x
/// (`SQLiteTokenStorage`, schema 2). Python and Rust programs share it, and lose nothing of each
/// other.
///
/// A database belongs to one client: of a [`UserKey`] only the user is used, as the namespace.
///
/// # Clone
///
/// Clones are the same handle.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    path: PathBuf,
    observed: Observed,
}

impl SqliteStore {
    /// The store in `path`; the database and its directory are made when there is something to keep.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            path: path.into(),
            observed: Observed::default(),
        }))
    }

    /// The database.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs `work` in a transaction that keeps others from writing, on a thread of its own.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Transaction<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.0);
        let written = move || {
            let mut connection = shared.open_or_make()?;
            let mode = rusqlite::TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(mode)?;
            let done = work(&shared, &transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        self.blocking("written", written).await
    }

    /// As [`write`](Self::write), where no database need be made for it.
    async fn read<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Transaction<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.0);
        let read = move || match shared.open()? {
            Some(mut connection) => work(&shared, &connection.transaction()?),
            None => Ok(T::default()),
        };
        self.blocking("read", read).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|error| Err(Failed::Io(std::io::Error::other(error))));
        done.map_err(|error| error.of(self.path(), what))
    }
}

impl Shared {
    /// The database; `None` where there is none.
    fn open(&self) -> Result<Option<Connection>, Failed> {
        if !self.path.try_exists()? {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let version = "SELECT value FROM sdk_storage_adapter_internal WHERE attribute = ?";
        let attribute = ["globus-sdk.database_schema_version"];
        let version = connection.query_row(version, attribute, |row| row.get::<_, String>(0));
        if version.optional()?.as_deref() != Some("2") {
            return Err(Failed::Schema);
        }
        connection.execute_batch(OURS)?;
        Ok(Some(connection))
    }

    fn open_or_make(&self) -> Result<Connection, Failed> {
        loop {
            if let Some(connection) = self.open()? {
                return Ok(connection);
            }
            super::json::make_directory(&self.path)?;
            let parent = self.path.parent().filter(|it| !it.as_os_str().is_empty());
            // Made whole and then put in its place: Python takes a database that is there as it is. Its owner
            // alone can read it, from its first moment on.
            let new = tempfile::Builder::new()
                .prefix(".new")
                .tempfile_in(parent.unwrap_or(Path::new(".")))?;
            let connection = Connection::open(new.path())?;
            connection.execute_batch(THEIRS)?;
            let writer = concat!("globus-gare ", env!("CARGO_PKG_VERSION"));
            let insert =
                "INSERT INTO sdk_storage_adapter_internal VALUES ('globus-sdk.version', ?)";
            connection.execute(insert, [writer])?;
            connection.close().map_err(|(_, error)| error)?;
            match new.persist_noclobber(&self.path) {
                Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(error.error.into());
                }
                // Another program may have made it meanwhile.
                _ => {}
            }
        }
    }

    fn remaining<T>(&self, user: &UserKey, name: &str, claim: &Claim<T>) -> Duration {
        let place = format!("{} {name}", user.user());
        self.observed.remaining(&place, claim)
    }
}

fn login(transaction: &Transaction<'_>, user: &UserKey) -> Result<Login, Failed> {
    let select = "SELECT resource_server, token_data_json FROM token_storage WHERE namespace = ?";
    let mut rows = transaction.prepare(select)?;
    let rows = rows.query_map([user.user()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut tokens = Tokens::new();
    for row in rows {
        let (server, text): (String, String) = row?;
        // A row that is no token is passed over.
        if let Ok(token) = serde_json::from_str(&text) {
            tokens.insert(server, token);
        }
    }
    let select = "SELECT record_json FROM globus_gare_login WHERE namespace = ?";
    let record = transaction
        .query_row(select, [user.user()], |row| row.get::<_, String>(0))
        .optional()?;
    Ok(Login {
        tokens,
        record: record.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

fn set(transaction: &Transaction<'_>, user: &UserKey, login: &Login) -> Result<(), Failed> {
    let before = self::login(transaction, user)?;
    for server in before.tokens.keys() {
        if !login.tokens.contains_key(server) {
            let delete = "DELETE FROM token_storage WHERE namespace = ? AND resource_server = ?";
            transaction.execute(delete, params![user.user(), server])?;
        }
    }
    for (server, token) in &login.tokens {
        if before.tokens.get(server) != Some(token) {
            let text = serde_json::to_string(token)?;
            let replace = "REPLACE INTO token_storage VALUES (?, ?, ?)";
            transaction.execute(replace, params![user.user(), server, text])?;
        }
    }
    match &login.record {
        Some(record) => {
            let replace = "REPLACE INTO globus_gare_login VALUES (?, ?)";
            let text = serde_json::to_string(record)?;
            transaction.execute(replace, params![user.user(), text])?;
        }
        None => {
            let delete = "DELETE FROM globus_gare_login WHERE namespace = ?";
            transaction.execute(delete, [user.user()])?;
        }
    }
    Ok(())
}

fn claim<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    user: &UserKey,
    name: &str,
) -> Result<Option<Claim<T>>, Failed> {
    let select = "SELECT claim_json FROM globus_gare_claim WHERE namespace = ? AND name = ?";
    let row = transaction.query_row(select, [user.user(), name], |row| row.get::<_, String>(0));
    Ok(row
        .optional()?
        .and_then(|text| serde_json::from_str(&text).ok()))
}

fn set_claim<T: Serialize>(
    transaction: &Transaction<'_>,
    user: &UserKey,
    name: &str,
    claim: &Claim<T>,
) -> Result<(), Failed> {
    let replace = "REPLACE INTO globus_gare_claim VALUES (?, ?, ?)";
    let text = serde_json::to_string(claim)?;
    transaction.execute(replace, params![user.user(), name, text])?;
    Ok(())
}

fn remove_claim(transaction: &Transaction<'_>, user: &UserKey, name: &str) -> Result<(), Failed> {
    let delete = "DELETE FROM globus_gare_claim WHERE namespace = ? AND name = ?";
    transaction.execute(delete, [user.user(), name])?;
    Ok(())
}

#[async_trait]
impl LoginStore for SqliteStore {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        let user = user.clone();
        let login = self.read(move |_, it| login(it, &user)).await?;
        Ok(Versioned::of(login))
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        new: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let (user, base, new) = (user.clone(), base.clone(), new.clone());
        self.write(move |_, it| {
            if Version::of(&login(it, &user)?) != base {
                return Ok(None);
            }
            set(it, &user, &new)?;
            Ok(Some(Version::of(&new)))
        })
        .await
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        let (user, holder) = (user.clone(), holder.clone());
        self.write(move |shared, it| {
            if let Some(claim) = claim::<Holder>(it, &user, work.as_str())?
                && claim.by.id() != holder.id()
            {
                let remaining = shared.remaining(&user, work.as_str(), &claim);
                if !remaining.is_zero() {
                    let holder = claim.by;
                    return Ok(Leased::Busy { holder, remaining });
                }
            }
            set_claim(it, &user, work.as_str(), &Claim::new(holder, ttl))?;
            Ok(Leased::Held)
        })
        .await
    }

    async fn extend(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let (user, holder) = (user.clone(), holder.clone());
        self.write(move |_, it| {
            let held = claim::<Holder>(it, &user, work.as_str())?;
            let is_ours = held.is_some_and(|claim| claim.by.id() == holder.id());
            if is_ours {
                set_claim(it, &user, work.as_str(), &Claim::new(holder, ttl))?;
            }
            Ok(is_ours)
        })
        .await
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        let (user, holder) = (user.clone(), holder.clone());
        self.write(move |_, it| {
            let held = claim::<Holder>(it, &user, work.as_str())?;
            if held.is_some_and(|claim| claim.by.id() == holder.id()) {
                remove_claim(it, &user, work.as_str())?;
            }
            Ok(())
        })
        .await
    }

    async fn post(
        &self,
        user: &UserKey,
        waiting: &Waiting,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let (user, waiting) = (user.clone(), waiting.clone());
        self.write(move |_, it| {
            let name = format!("waiting {}", waiting.by.id());
            set_claim(it, &user, &name, &Claim::new(waiting, ttl))
        })
        .await
    }

    async fn waiting(&self, user: &UserKey) -> Result<Vec<Waiting>, StoreError> {
        let user = user.clone();
        self.read(move |shared, it| {
            let select = "SELECT name, claim_json FROM globus_gare_claim
                WHERE namespace = ? AND name LIKE 'waiting %'";
            let mut rows = it.prepare(select)?;
            let rows = rows.query_map([user.user()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut all = Vec::new();
            for row in rows {
                let (name, text): (String, String) = row?;
                if let Ok(claim) = serde_json::from_str::<Claim<Waiting>>(&text)
                    && !shared.remaining(&user, &name, &claim).is_zero()
                {
                    all.push(claim.by);
                }
            }
            Ok(all)
        })
        .await
    }

    async fn withdraw(&self, user: &UserKey, by: &Holder) -> Result<(), StoreError> {
        let (user, name) = (user.clone(), format!("waiting {}", by.id()));
        self.write(move |_, it| remove_claim(it, &user, &name))
            .await
    }

    async fn set_aside(&self, _: &UserKey) -> Result<Option<String>, StoreError> {
        let shared = Arc::clone(&self.0);
        let renamed = move || match shared.open() {
            Ok(_) => Ok(None),
            Err(error) if !error.is_damage() => Err(error),
            Err(_) => {
                let mut aside = shared.path.clone().into_os_string();
                aside.push(format!(".damaged-{}", moment(SystemTime::now())));
                std::fs::rename(&shared.path, &aside)?;
                Ok(Some(PathBuf::from(aside).display().to_string()))
            }
        };
        self.blocking("put aside", renamed).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("its database_schema_version is not 2: another or a newer program wrote it")]
    Schema,
}

impl Failed {
    fn is_damage(&self) -> bool {
        match self {
            Self::Io(_) => false,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => true,
                // It lacks a table.
                Some(ErrorCode::Unknown) => true,
                _ => false,
            },
            Self::Json(_) | Self::Schema => true,
        }
    }

    fn of(self, path: &Path, done: &str) -> StoreError {
        if self.is_damage() {
            let message = format!(
                "the token database {} cannot be understood: log out, or force a login, and it is put aside",
                path.display()
            );
            return StoreError::damaged(message, self);
        }
        let kind = match &self {
            Self::Io(error) => error.kind(),
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => std::io::ErrorKind::StorageFull,
                Some(ErrorCode::ReadOnly) => std::io::ErrorKind::ReadOnlyFilesystem,
                Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    std::io::ErrorKind::PermissionDenied
                }
                _ => std::io::ErrorKind::Other,
            },
            _ => std::io::ErrorKind::Other,
        };
        StoreError::unavailable(cannot(path, done, kind), self)
    }
}
