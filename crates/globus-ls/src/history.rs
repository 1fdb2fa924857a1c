//! The collections that were listed before, for completion. Failures are ignored: nobody depends
//! on the list.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// How many collections the file holds.
const CAPACITY: usize = 32;

/// The collections that were listed before, latest first.
pub(crate) fn collections() -> Vec<Uuid> {
    let text = file().and_then(|file| fs::read_to_string(file).ok());
    let text = text.unwrap_or_default();
    let ids = text.lines().filter_map(|line| Uuid::parse_str(line).ok());
    ids.take(CAPACITY).collect()
}

/// Puts a collection first.
pub(crate) fn add(collection: Uuid) {
    let mut kept = collections();
    if kept.first() == Some(&collection) {
        return;
    }
    kept.retain(|other| *other != collection);
    kept.insert(0, collection);
    kept.truncate(CAPACITY);
    if let Some(file) = file() {
        // The next listing tries again.
        let _ = write(&file, &kept);
    }
}

fn write(file: &Path, kept: &[Uuid]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    for collection in kept {
        writeln!(new, "{collection}")?;
    }
    new.persist(file)?;
    Ok(())
}

/// `$XDG_STATE_HOME/globus-ls/collections`; `XDG_STATE_HOME` is `~/.local/state` by default.
fn file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").filter(|folder| folder.is_absolute());
    let home = || {
        Some(
            folder("HOME")
                .filter(|home| home.is_dir())?
                .join(".local/state"),
        )
    };
    Some(state.or_else(home)?.join("globus-ls/collections"))
}
