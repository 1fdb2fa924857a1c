//! The file on disk: read whole, replaced whole.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::super::StoreError;
use super::document::{Document, Unreadable};
use super::lock;

/// How long a file that Python has emptied, and not yet written, is waited for.
const TORN: Duration = Duration::from_secs(2);

/// How long what a killed program has left behind is kept from being mistaken for work under way.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

const NEW: &str = ".new";

#[derive(Clone, Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
}

/// How a file looked: another one, or one that was written to, looks different.
#[derive(Clone, Debug, PartialEq)]
struct Looks {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: u64,
    #[cfg(unix)]
    changed: (i64, i64),
}

impl TokenFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read(&self) -> Result<Document, StoreError> {
        self.read_whole().map(|(document, _)| document)
    }

    /// Runs `change`, and where it says that something is different, replaces the file.
    pub(super) fn change(
        &self,
        change: &mut dyn FnMut(&mut Document) -> serde_json::Result<bool>,
    ) -> Result<(), StoreError> {
        let _turn = lock::wait_to_write(&self.path)?;
        // A program without our lock may write meanwhile: then from the beginning.
        loop {
            let (mut document, looks) = self.read_whole()?;
            let failed =
                |error: serde_json::Error| StoreError::new("the tokens cannot be written", error);
            if !change(&mut document).map_err(failed)? {
                return Ok(());
            }
            let text = document.text().map_err(failed)?;
            if self
                .replace(text.as_bytes(), looks.as_ref())
                .map_err(|error| self.failed("written", error))?
            {
                return Ok(());
            }
        }
    }

    fn read_whole(&self) -> Result<(Document, Option<Looks>), StoreError> {
        let started = Instant::now();
        loop {
            let before = self.looks();
            let text = match fs::read(&self.path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok((Document::empty(), None));
                }
                Err(error) => return Err(self.failed("read", error)),
            };
            match Document::parse(&text) {
                // Whoever wrote since `before`, before or after what we read, makes it look different.
                Ok(document) => return Ok((document, before)),
                Err(Unreadable::NotJson) if started.elapsed() < TORN => {}
                // A program was killed between emptying the file and writing it: there is nothing to lose.
                Err(_) if text.is_empty() => return Ok((Document::empty(), before)),
                Err(error) => return Err(self.failed("read", error)),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Puts `text` in the place of a file that still looks so. `false` where it does not.
    fn replace(&self, text: &[u8], looks: Option<&Looks>) -> io::Result<bool> {
        // A link stays a link.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let prefix = lock::beside(Path::new(path.file_name().unwrap_or_default()), ".");
        self.sweep(directory, &prefix.to_string_lossy());
        // Readable by its owner alone, from its first moment on.
        let mut new = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(NEW)
            .tempfile_in(directory)?;
        new.write_all(text)?;
        new.as_file().sync_all()?;
        if self.looks().as_ref() != looks {
            return Ok(false);
        }
        new.persist(&path).map_err(|error| error.error)?;
        #[cfg(unix)]
        fs::File::open(directory)?.sync_all()?;
        Ok(true)
    }

    /// Removes what programs that were killed while they wrote have left.
    fn sweep(&self, directory: &Path, prefix: &str) {
        let old = |entry: &fs::DirEntry| {
            let modified = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok();
            modified.is_some_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_BEHIND))
        };
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(prefix) && name.ends_with(NEW) && old(&entry) {
                // Whoever cannot be removed stays.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn looks(&self) -> Option<Looks> {
        let metadata = fs::metadata(&self.path).ok()?;
        Some(Looks {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
            #[cfg(unix)]
            changed: (
                std::os::unix::fs::MetadataExt::ctime(&metadata),
                std::os::unix::fs::MetadataExt::ctime_nsec(&metadata),
            ),
        })
    }

    fn failed(
        &self,
        what: &str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> StoreError {
        StoreError::new(
            format!("the token file {} cannot be {what}", self.path.display()),
            error,
        )
    }
}
