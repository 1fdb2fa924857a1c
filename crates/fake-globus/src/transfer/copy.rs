//! The copying of files for a transfer. It never leaves the directories of the collections.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{File, Metadata, OpenOptions};
use uuid::Uuid;

use super::directory::{Directory, beneath, is_escape, modified};
use super::rule::{Rule, excludes};
use super::work::{Done, Skipped};

/// When an existing file of the destination is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sync {
    Never,
    SizeDiffers,
    Older,
    ContentDiffers,
}

impl Sync {
    /// The value of `sync_level` in a submission.
    pub(super) fn level(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Never),
            1 => Some(Self::SizeDiffers),
            2 => Some(Self::Older),
            3 => Some(Self::ContentDiffers),
            _ => None,
        }
    }
}

/// The options of a transfer.
#[derive(Clone, Debug, Default)]
pub(super) struct Copying {
    /// `None` copies all files.
    pub(super) sync: Option<Sync>,
    pub(super) rules: Vec<Rule>,
    pub(super) deletes_extra: bool,
    pub(super) skips_source_errors: bool,
    pub(super) keeps_times: bool,
}

/// The entries below a directory: their relative paths, and whether they are directories.
type Below = Vec<(PathBuf, bool)>;

/// The two sides of a copy.
pub(super) struct Sides<'a> {
    pub(super) from: &'a Directory,
    pub(super) to: &'a Directory,
    pub(super) how: &'a Copying,
}

impl Sides<'_> {
    /// Copies the file or directory at `from` to `to`, and creates missing directories. A directory
    /// is copied with its content unless `recursive` is false. Symbolic links in it are skipped.
    pub(super) fn copy(
        &self,
        from: &str,
        to: &str,
        recursive: Option<bool>,
        done: &mut Done,
    ) -> io::Result<()> {
        let (source, target) = (beneath(from), beneath(to));
        let is_dir = match self.from.dir.metadata(source) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) => return self.source_error(error, source, target, done),
        };
        match (is_dir, recursive) {
            (true, Some(false)) => Err(io::ErrorKind::IsADirectory.into()),
            (false, Some(true)) => Err(io::ErrorKind::NotADirectory.into()),
            (true, _) => self.directory(source, target, done),
            (false, _) => self.file(source, target, done),
        }
    }

    fn directory(&self, source: &Path, target: &Path, done: &mut Done) -> io::Result<()> {
        // Read before anything is written, because one directory may contain the other.
        let mut found = Vec::new();
        walk(
            self.from,
            source,
            Path::new(""),
            &self.how.rules,
            &mut found,
        )?;
        self.to.dir.create_dir_all(target)?;
        done.directories += 1;
        if self.how.deletes_extra {
            self.delete_extra(source, target, &found)?;
        }
        for (below, is_dir) in found {
            let path = target.join(&below);
            if is_dir {
                self.to.dir.create_dir_all(path)?;
                done.directories += 1;
            } else {
                self.file(&source.join(&below), &path, done)?;
            }
        }
        Ok(())
    }

    /// Deletes the entries below `target` that are not in `found`. Keeps entries that the rules
    /// exclude, and the source.
    fn delete_extra(&self, source: &Path, target: &Path, found: &Below) -> io::Result<()> {
        let wanted: BTreeSet<&(PathBuf, bool)> = found.iter().collect();
        let mut there = Vec::new();
        walk(self.to, target, Path::new(""), &self.how.rules, &mut there)?;
        let is_one = Arc::ptr_eq(&self.from.dir, &self.to.dir);
        // What is in a directory comes before it: a directory with kept entries cannot be removed.
        for entry in there.iter().rev() {
            let path = target.join(&entry.0);
            let holds_source = is_one && (source.starts_with(&path) || path.starts_with(source));
            if wanted.contains(entry) || holds_source {
                continue;
            }
            let removed = match entry.1 {
                // With links, which `walk` leaves out.
                true if self.how.rules.is_empty() => self.to.dir.remove_dir_all(&path),
                true => self.to.dir.remove_dir(&path),
                false => self.to.dir.remove_file(&path),
            };
            match removed.as_ref().map_err(io::Error::kind) {
                // It has entries that the rules exclude, or somebody else has deleted it.
                Err(io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {}
                _ => removed?,
            }
        }
        Ok(())
    }

    fn file(&self, from: &Path, path: &Path, done: &mut Done) -> io::Result<()> {
        let (source, own) = match self.from.open_regular(from) {
            Ok(opened) => opened,
            Err(error) => return self.source_error(error, from, path, done),
        };
        if !self.needs_copy(&source, &own, path)? {
            done.skipped_files += 1;
            return Ok(());
        }
        let to = &self.to.dir;
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
            match to.metadata(parent) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    to.create_dir_all(parent)?
                }
                there => there.map(|_| ())?,
            }
        }
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let part = format!(".{}.{}.part", name.to_string_lossy(), Uuid::new_v4());
        let part = path.with_file_name(part);
        // Through a temporary file: a file that is copied onto itself would be emptied first.
        let copied = self.from.dir.copy(from, to, &part).and_then(|bytes| {
            if self.how.keeps_times {
                let copy = to.open_with(&part, OpenOptions::new().write(true))?;
                copy.into_std().set_modified(modified(&own))?;
            }
            to.rename(&part, to, path).map(|()| bytes)
        });
        match copied {
            Ok(bytes) => done.bytes += bytes,
            Err(error) => {
                // The temporary file may not exist.
                let _ = to.remove_file(&part);
                return Err(error);
            }
        }
        done.files += 1;
        done.transferred.push((shown(from), shown(path)));
        Ok(())
    }

    /// Whether the sync level requires that the file at `path` is replaced.
    fn needs_copy(&self, source: &File, own: &Metadata, path: &Path) -> io::Result<bool> {
        let Some(sync) = self.how.sync else {
            return Ok(true);
        };
        let there = match self.to.dir.metadata(path) {
            Ok(there) if there.is_file() => there,
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        match sync {
            Sync::Never => Ok(false),
            Sync::SizeDiffers => Ok(there.len() != own.len()),
            Sync::Older => Ok(modified(&there) < modified(own)),
            Sync::ContentDiffers if there.len() != own.len() => Ok(true),
            Sync::ContentDiffers => Ok(!is_same(source, &self.to.dir.open(path)?)?),
        }
    }

    /// Skips a path that is missing or unreadable at the source, if the submission allows this.
    fn source_error(
        &self,
        error: io::Error,
        from: &Path,
        to: &Path,
        done: &mut Done,
    ) -> io::Result<()> {
        let is_skipped = match error.kind() {
            io::ErrorKind::NotFound => true,
            io::ErrorKind::PermissionDenied => !is_escape(&error),
            _ => false,
        };
        if !is_skipped || !self.how.skips_source_errors {
            return Err(error);
        }
        done.skipped_errors.push(Skipped {
            source_path: shown(from),
            destination_path: shown(to),
            error,
        });
        Ok(())
    }
}

/// An absolute path of the collection.
fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    format!("/{}", path.to_string_lossy())
}

fn is_same(left: &File, right: &File) -> io::Result<bool> {
    let (mut left, mut right) = (io::BufReader::new(left), io::BufReader::new(right));
    let (mut own, mut other) = ([0; 8192], [0; 8192]);
    loop {
        let length = left.read(&mut own)?;
        if length == 0 {
            return Ok(right.read(&mut other)? == 0);
        }
        match right.read_exact(&mut other[..length]) {
            Ok(()) if own[..length] == other[..length] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Collects the entries below `root`/`below`, without those that the rules exclude.
fn walk(
    directory: &Directory,
    root: &Path,
    below: &Path,
    rules: &[Rule],
    found: &mut Below,
) -> io::Result<()> {
    for entry in directory.dir.read_dir(root.join(below))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if excludes(rules, &name.to_string_lossy(), kind.is_dir()) {
            continue;
        }
        let path = below.join(name);
        if kind.is_dir() {
            found.push((path.clone(), true));
            walk(directory, root, &path, rules, found)?;
        } else if kind.is_file() {
            found.push((path, false));
        }
    }
    Ok(())
}
