//! Files and directories that only their owner can use.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::files::directory_of;

/// Opens a file of this user for writing, and creates it if it is missing. Fails for anything that
/// another user may have put in its place, such as a symbolic link.
pub(super) fn open_or_make(path: &Path) -> io::Result<File> {
    opened(
        path,
        OpenOptions::new().write(true).create(true).truncate(false),
    )
}

/// As [`open_or_make`], for reading an existing file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    opened(path, &mut OpenOptions::new())
}

#[cfg(unix)]
fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use rustix::fs::OFlags;
    use rustix::process::geteuid;

    // NONBLOCK: opening a pipe must not wait for its other end.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let options = options.read(true).mode(0o600);
    let file = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = file.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => io::Error::other("the path is a symbolic link"),
        _ => error,
    })?;
    let (metadata, user) = (file.metadata()?, geteuid());
    if !metadata.is_file() {
        return Err(io::Error::other("the path is not a regular file"));
    }
    if metadata.uid() != user.as_raw() && !user.is_root() {
        return Err(io::Error::other("the file belongs to another user"));
    }
    Ok(file)
}

#[cfg(not(unix))]
fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).open(path)
}

/// Creates the directory of a file, for this user only. An existing directory is left as it is.
pub(super) fn make_directory(file: &Path) -> io::Result<()> {
    let directory = directory_of(file);
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

/// Removes the permissions of other users from a file or directory, and warns once for each path.
///
/// It does not open the file: closing a database's file would end the locks that SQLite has on it.
#[cfg(unix)]
pub(super) fn tighten(path: &Path) {
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let owners = if metadata.is_dir() { 0o700 } else { 0o600 };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & !owners == 0 {
        return;
    }
    let done = fs::set_permissions(path, fs::Permissions::from_mode(mode & owners));
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if !told.insert(path.to_owned()) {
        return;
    }
    let path = path.display();
    match done {
        Ok(()) => {
            tracing::warn!(%path, "stored logins had permissions for other users: they were removed")
        }
        Err(error) => {
            tracing::warn!(%path, %error, "stored logins have permissions for other users: they could not be removed, use chmod")
        }
    }
}

#[cfg(not(unix))]
pub(super) fn tighten(_: &Path) {}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[checks::test]
    fn loose_permissions_are_removed_with_one_warning() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("tokens.json");
        let file = File::create(&path).expect("a file");
        let log = Log::default();
        let to = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
        tracing::subscriber::with_default(subscriber.finish(), || {
            for mode in [0o600, 0o644, 0o666] {
                let loose = fs::Permissions::from_mode(mode);
                file.set_permissions(loose).expect("ours");
                tighten(&path);
                let mode = file.metadata().expect("a file").permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        });
        let log = log.0.lock().expect("whole").clone();
        let log = String::from_utf8(log).expect("text");
        assert_eq!(log.matches("WARN").count(), 1, "{log}");
        assert!(log.contains("tokens.json"), "{log}");
    }
}
