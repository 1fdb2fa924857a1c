//! New databases. Python uses a database as it finds it, so that it appears with all its tables.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use fs4::fs_std::FileExt;
use rusqlite::Connection;

use super::super::files::{NEW, directory_of, left_behind, new_prefix};
use super::super::private::make_directory;
use super::error::Failed;

/// The tables of the Python SDK, as it creates them.
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

/// Makes a database without tokens, unless another program makes it first.
pub(super) fn make(path: &Path) -> Result<(), Failed> {
    make_directory(path)?;
    for left in left_behind(path) {
        // A program locks its directory at once.
        if left.is_dir()
            && let Some(_lock) = lock(&left)
        {
            // One that cannot be removed stays.
            let _ = fs::remove_dir_all(left);
        }
    }
    // A directory, because SQLite adds files of its own.
    let own = tempfile::Builder::new()
        .prefix(&new_prefix(path))
        .suffix(NEW)
        .tempdir_in(directory_of(path))?;
    let _lock = lock(own.path());
    // `tempfile` creates it with mode 0600.
    let new = tempfile::NamedTempFile::new_in(own.path())?;
    let connection = Connection::open(new.path())?;
    connection.execute_batch(THEIRS)?;
    let writer = concat!("globus-gare ", env!("CARGO_PKG_VERSION"));
    let insert = "INSERT INTO sdk_storage_adapter_internal VALUES ('globus-sdk.version', ?)";
    connection.execute(insert, [writer])?;
    connection.close().map_err(|(_, error)| error)?;
    match new.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error.into()),
        // Or another program has created it in between.
        _ => Ok(()),
    }
}

/// Locks a directory. `None` if another program has the lock, or the file system locks no
/// directories: then nobody can know whether a program still uses it.
fn lock(directory: &Path) -> Option<File> {
    let file = File::open(directory).ok()?;
    let is_ours = FileExt::try_lock_exclusive(&file).unwrap_or(false);
    is_ours.then_some(file)
}
