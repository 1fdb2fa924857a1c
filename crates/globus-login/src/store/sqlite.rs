//! A store in the token database of globus-sdk-python 4.x.

mod error;
mod new;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
    params_from_iter,
};

use self::error::Failed;
use super::compute::Namespaces;
use super::disk::{Claims, Disk, OnDisk};
use super::files::{beside, moment, put_aside};
use super::lease::Observed;
use super::lock::Lock;
use super::login_store::forward;
use super::private::tighten;
use super::record::LoginRecord;
use super::{
    Holder, Leased, Login, LoginStore, StoreError, Tokens, UserKey, Version, Versioned, Waiting,
    Work,
};

/// How long to wait for the writes of other programs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Our own tables. The Python SDK ignores them.
const OURS: &str = "
    CREATE TABLE IF NOT EXISTS globus_gare_login (
        namespace VARCHAR NOT NULL PRIMARY KEY, record_json VARCHAR NOT NULL
    );
    CREATE TABLE IF NOT EXISTS globus_gare_claim (
        namespace VARCHAR NOT NULL, name VARCHAR NOT NULL, claim_json VARCHAR NOT NULL,
        PRIMARY KEY (namespace, name)
    );
";

/// The ends of the names of the files that SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Records that were set aside.
const DAMAGED: &str = "
    CREATE TABLE IF NOT EXISTS globus_gare_damaged (
        namespace VARCHAR NOT NULL, set_aside_at VARCHAR NOT NULL, record_json VARCHAR NOT NULL
    );
";

/// A store in an SQLite database, in the schema of globus-sdk-python 4.x (`SQLiteTokenStorage`,
/// schema 2). Python and Rust programs share logins through it, and lose none of each other's
/// changes.
///
/// A database belongs to one client: of a [`UserKey`], only the user is used, as the namespace.
///
/// A record that cannot be read is never overwritten. A forced login and a logout move it to a
/// table of its own, and the tokens stay. They rename a database that cannot be read to
/// `FILE.damaged-DATE`, with its journal.
///
/// # Clone
///
/// Clones share one handle.
#[derive(Clone)]
pub struct SqliteStore(OnDisk<Shared>);

struct Shared {
    path: PathBuf,
    namespaces: Namespaces,
    observed: Observed,
}

impl SqliteStore {
    /// Makes a store at `path`. The first commit, lease or notice creates the database and its
    /// directory. Each call removes the permissions of other users from the database.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), Namespaces::Users)
    }

    pub(super) fn of(path: PathBuf, namespaces: Namespaces) -> Self {
        Self(OnDisk(Arc::new(Shared {
            path,
            namespaces,
            observed: Observed::default(),
        })))
    }

    /// The path of the database.
    pub fn path(&self) -> &Path {
        &self.0.0.path
    }
}

impl Shared {
    /// Opens the database. `None` if there is none.
    fn open(&self) -> Result<Option<Connection>, Failed> {
        if !self.path.try_exists()? {
            return Ok(None);
        }
        tighten(&self.path);
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
            new::make(&self.path)?;
        }
    }

    /// The login in a namespace.
    fn login(&self, user: &UserKey) -> Result<Login, Failed> {
        match self.open()? {
            Some(mut connection) => login(&connection.transaction()?, user),
            None => Ok(Login::default()),
        }
    }

    /// Runs `work` in a write transaction.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut connection = self.open_or_make()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn failed(&self, done: &'static str) -> impl Fn(Failed) -> StoreError {
        let path = self.path.clone();
        move |error| error.of(&path, done)
    }
}

impl Disk for Shared {
    fn read(&self, user: &UserKey) -> Result<Login, StoreError> {
        let user = self.namespaces.named(user);
        self.login(&user).map_err(self.failed("read"))
    }

    fn swap(
        &self,
        user: &UserKey,
        base: &Version,
        new: &Login,
    ) -> Result<Option<Version>, StoreError> {
        let user = self.namespaces.named(user);
        let swapped = self.write(|transaction| {
            if Version::of(&login(transaction, &user)?) != *base {
                return Ok(None);
            }
            set(transaction, &user, new)?;
            Ok(Some(Version::of(new)))
        });
        swapped.map_err(self.failed("written"))
    }

    fn with_claims<T>(
        &self,
        user: &UserKey,
        work: impl FnOnce(&mut dyn Claims) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let user = self.namespaces.named(user);
        let done = self.write(|transaction| {
            let mut rows = Rows {
                transaction,
                user: &user,
                shared: self,
            };
            work(&mut rows).map_err(Failed::Claims)
        });
        done.map_err(self.failed("written"))
    }

    fn put_aside(&self, user: &UserKey) -> Result<Option<String>, StoreError> {
        let user = self.namespaces.named(user);
        if self.login(&user).is_ok() {
            return Ok(None);
        }
        // The second of two programs must not move the new database of the first one.
        let _lock = Lock::wait(&beside(&self.path, ".lock"))?;
        match self.login(&user) {
            Ok(_) => Ok(None),
            Err(Failed::Record(_)) => {
                let aside = self.write(|transaction| set_record_aside(transaction, &user));
                let is_aside = aside.map_err(self.failed("set aside"))?;
                let path = self.path.display();
                Ok(is_aside.then(|| format!("{path}, in the table globus_gare_damaged")))
            }
            Err(error) if !error.is_damage() => Err(self.failed("read")(error)),
            Err(_) => {
                let aside = put_aside(&self.path, &BESIDE).map_err(Failed::Io);
                let aside = aside.map_err(self.failed("set aside"))?;
                Ok(Some(aside.display().to_string()))
            }
        }
    }

    fn observed(&self) -> &Observed {
        &self.observed
    }
}

forward!([] SqliteStore, store => store.0);

/// The leases and notices of a user.
struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    user: &'a UserKey,
    shared: &'a Shared,
}

impl Rows<'_> {
    fn run(&self, sql: &str, more: &[&str]) -> Result<(), StoreError> {
        let all = std::iter::once(self.user.user()).chain(more.iter().copied());
        let done = self.transaction.execute(sql, params_from_iter(all));
        done.map(drop)
            .map_err(|error| self.shared.failed("written")(error.into()))
    }
}

impl Claims for Rows<'_> {
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let names = || {
            let select = "SELECT name FROM globus_gare_claim WHERE namespace = ?";
            let mut rows = self.transaction.prepare(select)?;
            let names = rows.query_map([self.user.user()], |row| row.get(0))?;
            names.collect::<Result<Vec<String>, _>>()
        };
        names().map_err(|error| self.shared.failed("read")(error.into()))
    }

    fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let select = "SELECT claim_json FROM globus_gare_claim WHERE namespace = ? AND name = ?";
        let row = self
            .transaction
            .query_row(select, [self.user.user(), name], |row| row.get(0));
        row.optional()
            .map_err(|error| self.shared.failed("read")(error.into()))
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        self.run(
            "REPLACE INTO globus_gare_claim VALUES (?, ?, ?)",
            &[name, text],
        )
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        let delete = "DELETE FROM globus_gare_claim WHERE namespace = ? AND name = ?";
        self.run(delete, &[name])
    }
}

fn login(transaction: &Transaction<'_>, user: &UserKey) -> Result<Login, Failed> {
    let select = "SELECT resource_server, token_data_json FROM token_storage WHERE namespace = ?";
    let mut rows = transaction.prepare(select)?;
    let rows = rows.query_map([user.user()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut tokens = Tokens::new();
    for row in rows {
        let (server, text): (String, String) = row?;
        // Skips a row that is not a token.
        if let Ok(token) = serde_json::from_str(&text) {
            tokens.insert(server, token);
        }
    }
    let select = "SELECT record_json FROM globus_gare_login WHERE namespace = ?";
    let record = transaction
        .query_row(select, [user.user()], |row| {
            Ok(row.get_ref(0)?.as_bytes()?.to_vec())
        })
        .optional()?;
    let record = record.map(|text| LoginRecord::parse(&text));
    Ok(Login {
        tokens,
        record: record.transpose()?,
    })
}

/// Moves a record that cannot be read to a table of its own. The tokens stay: a logout revokes
/// them. `false` if another program has replaced the record.
fn set_record_aside(transaction: &Transaction<'_>, user: &UserKey) -> Result<bool, Failed> {
    if !matches!(login(transaction, user), Err(Failed::Record(_))) {
        return Ok(false);
    }
    transaction.execute_batch(DAMAGED)?;
    let insert = "INSERT INTO globus_gare_damaged
        SELECT namespace, ?, record_json FROM globus_gare_login WHERE namespace = ?";
    transaction.execute(insert, [&moment(SystemTime::now()), user.user()])?;
    let delete = "DELETE FROM globus_gare_login WHERE namespace = ?";
    transaction.execute(delete, [user.user()])?;
    Ok(true)
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

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
