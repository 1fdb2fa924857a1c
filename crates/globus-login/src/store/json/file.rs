//! The token file on disk: read as a whole, replaced as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::files::{NEW, beside, cannot, directory_of, left_behind, new_prefix, put_aside};
use super::super::lock::Lock;
use super::super::private::tighten;
use super::super::{StoreError, digest};
use super::document::{Document, Unreadable};
use super::path::resolve;

/// How long to wait for a file that Python has emptied and not written yet. After that, the same
/// content counts as damaged.
const TORN: Duration = Duration::from_secs(1);

/// The maximum number of our own writes in memory. Python may undo them by writing what it read
/// before.
const REMEMBERED: usize = 64;

#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    /// Whether the directory is for this file alone.
    has_own_directory: bool,
    /// The digest of the last damaged content.
    damaged: Mutex<Option<String>>,
    /// The last writes of this handle, and the content before the first of them, by the number of
    /// writes.
    written: Mutex<BTreeMap<u64, Document>>,
}

/// The file as it was read.
struct Seen {
    document: Document,
    text: Vec<u8>,
    /// `None`: there is no file.
    file: Option<File>,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf, has_own_directory: bool) -> Self {
        Self {
            path,
            has_own_directory,
            damaged: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Another handle of the same file.
    #[cfg(feature = "seal")]
    pub(super) fn opened_again(&self) -> Self {
        Self::new(self.path.clone(), self.has_own_directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. If Python has undone our writes, by writing what it had read before, writes
    /// them again.
    pub(super) fn read(&self) -> Result<Document, StoreError> {
        let (seen, is_restored) = self.seen(&resolve(&self.path))?;
        if is_restored {
            return self.change(&mut |document| Ok(Some(document.clone())));
        }
        Ok(seen.document)
    }

    /// Runs `change` under the lock, and writes its result. Returns the content of the file. `None`
    /// from `change` leaves the file alone.
    pub(super) fn change(
        &self,
        change: &mut dyn FnMut(&Document) -> serde_json::Result<Option<Document>>,
    ) -> Result<Document, StoreError> {
        let path = resolve(&self.path);
        let lock = Lock::wait(&beside(&path, ".lock"))?;
        let failed = |error| StoreError::damaged("the tokens cannot be written", error);
        // Starts over if a program without our lock has written in between.
        loop {
            let (mut before, _) = self.seen(&path)?;
            let Some(mut next) = change(&before.document).map_err(failed)? else {
                return Ok(before.document);
            };
            next.count_write();
            let text = next.text().map_err(failed)?;
            let is_replaced = replace(&path, text.as_bytes(), &before).map_err(|error| {
                StoreError::unavailable(cannot(&path, "written", error.kind()), error)
            })?;
            if !is_replaced {
                continue;
            }
            let late = self.late_write(&mut before);
            // Python cannot have read a file that was not there.
            let base = before.file.is_some().then(|| before.document.clone());
            self.remember(base, next.clone());
            let Some(theirs) = late else {
                return Ok(next);
            };
            // Python wrote into the file that it had opened before we replaced it.
            let mut merged = move |now: &Document| {
                let mut merged = now.clone();
                merged.merge(&before.document, &theirs);
                Ok(Some(merged))
            };
            drop(lock);
            return self.change(&mut merged);
        }
    }

    /// Renames a file that cannot be read. `None` if it can be read.
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        let path = resolve(&self.path);
        let _lock = Lock::wait(&beside(&path, ".lock"))?;
        let is_sound = match fs::read(&path) {
            Ok(text) => text.is_empty() || Document::parse(&text).is_ok(),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        if is_sound && (fs::metadata(&path).is_err() || path.is_file()) {
            return Ok(None);
        }
        let aside = put_aside(&path, &[]).map_err(|error| {
            StoreError::unavailable(cannot(&path, "set aside", error.kind()), error)
        })?;
        self.written().clear();
        Ok(Some(aside))
    }

    /// The file with all our writes, and whether some had to be added.
    fn seen(&self, path: &Path) -> Result<(Seen, bool), StoreError> {
        let mut seen = self.read_whole(path)?;
        let mut written = self.written();
        let writes = seen.document.writes();
        let Some((last, ours)) = written.last_key_value() else {
            return Ok((seen, false));
        };
        if seen.file.is_none() || writes > *last {
            // The file was removed, or another program has written since.
            written.clear();
            return Ok((seen, false));
        }
        let Some(base) = written.get(&writes).filter(|_| writes < *last) else {
            return Ok((seen, false));
        };
        // Python writes our member as it read it. Another one is of a new file, in the place of one
        // that was removed.
        if !base.has_same_records(&seen.document) {
            written.clear();
            return Ok((seen, false));
        }
        let mut restored = ours.clone();
        restored.merge(base, &seen.document);
        seen.document = restored;
        Ok((seen, true))
    }

    /// Remembers a write. `before` is the file that it replaced.
    fn remember(&self, before: Option<Document>, next: Document) {
        let mut written = self.written();
        if let Some(before) = before {
            written.entry(before.writes()).or_insert(before);
        }
        written.insert(next.writes(), next);
        while written.len() > REMEMBERED {
            written.pop_first();
        }
    }

    /// The content that Python has written into the file that we replaced.
    fn late_write(&self, before: &mut Seen) -> Option<Document> {
        let file = before.file.as_mut()?;
        let started = Instant::now();
        loop {
            let mut text = Vec::new();
            file.rewind().ok()?;
            file.read_to_end(&mut text).ok()?;
            if text == before.text {
                return None;
            }
            match Document::parse(&text) {
                Ok(document) => return Some(document),
                Err(_) if started.elapsed() > TORN => return None,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn read_whole(&self, path: &Path) -> Result<Seen, StoreError> {
        let started = Instant::now();
        loop {
            let (file, text) = match read(path) {
                Ok(read) => {
                    self.tighten(path);
                    read
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok(Seen {
                        document: Document::default(),
                        text: Vec::new(),
                        file: None,
                    });
                }
                Err(error) => {
                    return Err(StoreError::unavailable(
                        cannot(path, "read", error.kind()),
                        error,
                    ));
                }
            };
            let document = match Document::parse(&text) {
                Ok(document) => {
                    // The same content may be a half-written file the next time.
                    *self.damaged() = None;
                    document
                }
                Err(Unreadable::NotJson) if !self.is_damaged(&text, started) => {
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                }
                // A program was killed between emptying the file and writing it: no token is left
                // in it.
                Err(_) if text.is_empty() => Document::default(),
                Err(reason) => {
                    return Err(StoreError::damaged(
                        format!(
                            "the token file {} cannot be understood: log out, or force a login, \
                             to set it aside",
                            path.display()
                        ),
                        reason,
                    ));
                }
            };
            return Ok(Seen {
                document,
                text,
                file: Some(file),
            });
        }
    }

    fn tighten(&self, path: &Path) {
        tighten(path);
        if let Some(directory) = self.path.parent().filter(|_| self.has_own_directory) {
            tighten(directory);
        }
    }

    /// Whether a text that is not JSON has been the same for long enough to count as damaged.
    fn is_damaged(&self, text: &[u8], started: Instant) -> bool {
        let mut damaged = self.damaged();
        let digest = digest(text);
        if damaged.as_ref() == Some(&digest) {
            return true;
        }
        let is_over = started.elapsed() > TORN;
        if is_over {
            *damaged = Some(digest);
        }
        is_over
    }

    fn damaged(&self) -> MutexGuard<'_, Option<String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<u64, Document>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<(File, Vec<u8>)> {
    // Opening a pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("the path is not a regular file"));
    }
    let mut file = File::open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok((file, text))
}

/// Replaces the file by `text`, if its content is still the one that was read.
fn replace(path: &Path, text: &[u8], before: &Seen) -> io::Result<bool> {
    let directory = directory_of(path);
    for left in left_behind(path) {
        // A file that cannot be removed stays.
        let _ = fs::remove_file(left);
    }
    // `tempfile` creates the file with mode 0600.
    let mut new = tempfile::Builder::new()
        .prefix(&new_prefix(path))
        .suffix(NEW)
        .tempfile_in(directory)?;
    new.write_all(text)?;
    new.as_file().sync_all()?;
    let is_unchanged = match fs::read(path) {
        Ok(now) => before.file.is_some() && now == before.text,
        Err(error) if error.kind() == ErrorKind::NotFound => before.file.is_none(),
        Err(error) => return Err(error),
    };
    if is_unchanged {
        new.persist(path).map_err(|error| error.error)?;
        // The file is replaced: an error here must not look as if it were not. Without this, a
        // power failure may bring the old file back.
        #[cfg(unix)]
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(is_unchanged)
}

#[cfg(test)]
mod tests;
