//! File locks between programs. The system releases the lock of a program that ends.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use fs4::fs_std::FileExt;

use super::StoreError;
use super::files::cannot;
use super::private::{make_directory, open_or_make};

/// How long to wait before trying a lock again. Doubles from the first to the second value.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// How long to wait for the lock. Other programs need far less time for a write.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lock that this program holds. Released on drop.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closing it ends the lock")] File);

impl Lock {
    /// Waits for the lock on a file. Creates the file if it is missing.
    pub(super) fn wait(path: &Path) -> Result<Self, StoreError> {
        let failed =
            |error: io::Error| StoreError::unavailable(cannot(path, "locked", error.kind()), error);
        make_directory(path).map_err(failed)?;
        let (started, mut pause) = (Instant::now(), PAUSES[0]);
        loop {
            let file = open_or_make(path).map_err(failed)?;
            if try_lock(&file, path).map_err(failed)? {
                return Ok(Self(file));
            }
            if started.elapsed() > PATIENCE {
                return Err(StoreError::because(format!(
                    "another program has held the lock {} for {} seconds: end that program",
                    path.display(),
                    PATIENCE.as_secs()
                )));
            }
            std::thread::sleep(pause);
            pause = PAUSES[1].min(pause * 2);
        }
    }
}

/// Locks an open file, if no other program has the lock. A lock on a file that was removed does not
/// count: other programs lock the new file at the same path.
fn try_lock(file: &File, path: &Path) -> io::Result<bool> {
    Ok(FileExt::try_lock_exclusive(file)? && is_at(file, path)?)
}

/// Whether an open file is the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// An open file cannot be removed on this system.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[checks::test]
    fn lock_on_a_file_that_was_removed_does_not_count() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("lock");
        let open = || open_or_make(&path).expect("a file");
        let removed = [open(), open()];
        assert!(try_lock(&removed[0], &path).expect("a file"));
        assert!(!try_lock(&removed[1], &path).expect("a file"));
        drop(Lock(open()));
        std::fs::remove_file(&path).expect("a file");
        assert!(!try_lock(&removed[0], &path).expect("no file"));
        let made_anew = open();
        assert!(!try_lock(&removed[0], &path).expect("another file"));
        assert!(try_lock(&made_anew, &path).expect("a file"));
    }
}
