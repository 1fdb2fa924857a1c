//! What a task does on disk: it removes and copies, and never leaves the directories.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::directory::{Directory, beneath};
use super::filter::glob_matches;

/// What was done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) files: u64,
    pub(super) directories: u64,
    pub(super) bytes: u64,
}

impl Directory {
    /// Removes what is at `path`; what a symbolic link leads to stays.
    pub(super) fn remove(&self, path: &str, recursive: bool, done: &mut Done) -> io::Result<()> {
        // With a slash at its end, a link would be what it leads to.
        let path = beneath(path.trim_end_matches('/'));
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

    /// The paths that `path` stands for, where each `*` in its last part stands for any run of characters.
    pub(super) fn matching(&self, path: &str) -> io::Result<Vec<String>> {
        let bare = path.trim_end_matches('/');
        let (parent, pattern) = bare.rsplit_once('/').unwrap_or(("", bare));
        if !pattern.contains('*') {
            return Ok(vec![path.to_owned()]);
        }
        let names = self.list(parent)?.into_iter().map(|entry| entry.name);
        let matching = names.filter(|name| glob_matches(pattern, name));
        Ok(matching.map(|name| format!("{parent}/{name}")).collect())
    }

    /// Copies what is at `from` to `path` of `to`, with the directories that are missing there. Without `recursive`
    /// being said, a directory is copied with all that is in it. Symbolic links in it are left out.
    pub(super) fn copy(
        &self,
        from: &str,
        to: &Self,
        path: &str,
        recursive: Option<bool>,
        done: &mut Done,
    ) -> io::Result<()> {
        let (source, target) = (beneath(from), beneath(path));
        let is_dir = self.dir.metadata(source)?.is_dir();
        match (is_dir, recursive) {
            (true, Some(false)) => return Err(io::ErrorKind::IsADirectory.into()),
            (false, Some(true)) => return Err(io::ErrorKind::NotADirectory.into()),
            (true, _) => {}
            (false, _) => return self.copy_file(source, to, target, done),
        }
        // All of it is known before anything is written: one directory may lie in the other.
        let mut found = Vec::new();
        self.walk(source, &mut found)?;
        to.dir.create_dir_all(target)?;
        done.directories += 1;
        for (below, is_dir) in found {
            let target = target.join(below.strip_prefix(source).unwrap_or(&below));
            if is_dir {
                to.dir.create_dir_all(target)?;
                done.directories += 1;
            } else {
                self.copy_file(&below, to, &target, done)?;
            }
        }
        Ok(())
    }

    fn copy_file(&self, from: &Path, to: &Self, path: &Path, done: &mut Done) -> io::Result<()> {
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
            match to.dir.metadata(parent) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    to.dir.create_dir_all(parent)?
                }
                there => there.map(|_| ())?,
            }
        }
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let part = format!(".{}.{}.part", name.to_string_lossy(), Uuid::new_v4());
        let part = path.with_file_name(part);
        // By way of another file: copied onto itself, a file would be emptied first.
        let copied = self
            .dir
            .copy(from, &to.dir, &part)
            .and_then(|bytes| to.dir.rename(&part, &to.dir, path).map(|()| bytes));
        match copied {
            Ok(bytes) => done.bytes += bytes,
            Err(error) => {
                // There may be none.
                let _ = to.dir.remove_file(&part);
                return Err(error);
            }
        }
        done.files += 1;
        Ok(())
    }

    fn walk(&self, directory: &Path, found: &mut Vec<(PathBuf, bool)>) -> io::Result<()> {
        for entry in self.dir.read_dir(directory)? {
            let entry = entry?;
            let (path, kind) = (directory.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                found.push((path.clone(), true));
                self.walk(&path, found)?;
            } else if kind.is_file() {
                found.push((path, false));
            }
        }
        Ok(())
    }
}
