//! Deletions on disk, and the counts of tasks.

use std::io;
use std::path::Path;

use super::directory::{Directory, beneath};
use super::glob;

/// The counts of a task.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) files: u64,
    pub(super) directories: u64,
    pub(super) bytes: u64,
    /// Files that did not need a copy.
    pub(super) skipped_files: u64,
    /// The source and destination paths of copied files.
    pub(super) transferred: Vec<(String, String)>,
    pub(super) skipped_errors: Vec<Skipped>,
}

/// A path that could not be read and was skipped.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) source_path: String,
    pub(super) destination_path: String,
    pub(super) error: io::Error,
}

impl Directory {
    /// Removes the entry at `path`. The target of a symbolic link stays.
    pub(super) fn remove(&self, path: &str, recursive: bool, done: &mut Done) -> io::Result<()> {
        // With a slash at its end, a path would mean the target of a link.
        self.remove_at(beneath(path.trim_end_matches('/')), recursive, done)
    }

    fn remove_at(&self, path: &Path, recursive: bool, done: &mut Done) -> io::Result<()> {
        if path.file_name().is_none() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the collection itself cannot be deleted",
            ));
        }
        if !self.dir.symlink_metadata(path)?.is_dir() {
            self.dir.remove_file(path)?;
            done.files += 1;
        } else if recursive {
            self.dir.remove_dir_all(path)?;
            done.directories += 1;
        } else {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(())
    }

    /// The paths that match `path`, whose last part may be a pattern.
    pub(super) fn matching(&self, path: &str) -> io::Result<Vec<String>> {
        let bare = path.trim_end_matches('/');
        let (parent, pattern) = bare.rsplit_once('/').unwrap_or(("", bare));
        if !pattern.contains(['*', '?', '[']) {
            return Ok(vec![path.to_owned()]);
        }
        let names = self.list(parent)?.into_iter().map(|entry| entry.name);
        let matching = names.filter(|name| glob::matches(pattern, name));
        Ok(matching.map(|name| format!("{parent}/{name}")).collect())
    }
}
