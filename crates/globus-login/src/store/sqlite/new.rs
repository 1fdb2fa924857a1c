//! New databases. Python uses a database as it finds it, so that it appears with all its tables.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use fs4::fs_std::FileExt;
use rusqlite::Connection;

use super::super::files::{beside, directory_of};
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

/// The end of the name of a directory in which a program makes a database.
const NEW: &str = ".new";

/// The age from which an unlocked directory counts as left behind: a program locks its own at once.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// Makes a database without tokens, unless another program makes it first.
pub(super) fn make(path: &Path) -> Result<(), Failed> {
    make_directory(path)?;
    let directory = directory_of(path);
    let prefix = beside(Path::new(path.file_name().unwrap_or_default()), ".");
    sweep(directory, &prefix.to_string_lossy());
    // A directory, because SQLite adds files of its own.
    let own = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(NEW)
        .tempdir_in(directory)?;
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

/// Removes the directories of programs that were killed while they made this database.
fn sweep(directory: &Path, prefix: &str) {
    let is_old = |entry: &fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_dir);
        let modified = metadata.and_then(|metadata| metadata.modified().ok());
        let age = modified.and_then(|at| at.elapsed().ok());
        age.is_some_and(|age| age > LEFT_BEHIND)
    };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix)
            && name.ends_with(NEW)
            && is_old(&entry)
            && let Some(_lock) = lock(&entry.path())
        {
            // One that cannot be removed stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Locks a directory. `None` if another program has the lock, or the file system locks no
/// directories: then nobody can know whether a program still uses it.
fn lock(directory: &Path) -> Option<File> {
    let file = File::open(directory).ok()?;
    let is_ours = FileExt::try_lock_exclusive(&file).unwrap_or(false);
    is_ours.then_some(file)
}
