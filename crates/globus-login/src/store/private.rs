//! Files and directories that their owner alone can use.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::files::directory_of;

/// Opens a file of ours, and makes it where it is missing. Whatever somebody else has put in its
/// place, such as a link to a file that we are to empty, is an error.
pub(super) fn open_or_make(path: &Path) -> io::Result<File> {
    opened(
        path,
        OpenOptions::new().write(true).create(true).truncate(false),
    )
}

/// As [`open_or_make`], to read a file that is there.
pub(super) fn open(path: &Path) -> io::Result<File> {
    opened(path, &mut OpenOptions::new())
}

#[cfg(unix)]
fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use rustix::fs::OFlags;
    use rustix::process::geteuid;

    // To open a pipe must not wait for somebody at its other end.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let options = options.read(true).mode(0o600);
    let file = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = file.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => io::Error::other("it is a symbolic link"),
        _ => error,
    })?;
    let (metadata, user) = (file.metadata()?, geteuid());
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.uid() != user.as_raw() && !user.is_root() {
        return Err(io::Error::other("it belongs to another user"));
    }
    Ok(file)
}

#[cfg(not(unix))]
fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).open(path)
}

/// The directory of a file, closed to others where it is new.
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

/// Takes the rights of others to a file or directory away, and warns of it, once for each path.
///
/// Opens nothing: to close a database's file would end the locks that SQLite has on it.
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
            tracing::warn!(%path, "stored logins had permissions for other users: now only you have any")
        }
        Err(error) => {
            tracing::warn!(%path, %error, "stored logins have permissions for other users, which cannot be taken away")
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
    fn loose_file_is_tightened_and_told_of_once() {
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
