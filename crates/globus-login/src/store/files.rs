//! The files of stores on a disk: their names, and the texts of their errors.

use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// The path of a file with `suffix` at the end of its name.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    file.with_file_name(name)
}

/// The directory of a file.
pub(super) fn directory_of(file: &Path) -> &Path {
    let directory = file.parent().filter(|path| *path != OsStr::new(""));
    directory.unwrap_or(Path::new("."))
}

/// The end of the name of a file or a directory in which a program makes a new file.
pub(super) const NEW: &str = ".new";

/// The age from which such a file counts as left behind by a killed program.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// The beginning of its name, for the new file at `path`.
pub(super) fn new_prefix(path: &Path) -> PathBuf {
    beside(Path::new(path.file_name().unwrap_or_default()), ".")
}

/// What killed programs left behind while they made the file at `path`.
pub(super) fn left_behind(path: &Path) -> impl Iterator<Item = PathBuf> {
    let prefix = new_prefix(path).to_string_lossy().into_owned();
    let is_new = move |entry: &DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(&prefix) && name.ends_with(NEW)
    };
    let is_old = |entry: &DirEntry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        age.is_some_and(|age| age > LEFT_BEHIND)
    };
    let entries = std::fs::read_dir(directory_of(path)).into_iter();
    let entries = entries.flatten().flatten();
    let left = entries.filter(move |entry| is_new(entry) && is_old(entry));
    left.map(|entry| entry.path())
}

/// Renames a damaged file to `FILE.damaged-2026-11-26T013500`, and the files beside it that have
/// these ends.
pub(super) fn put_aside(file: &Path, ends: &[&str]) -> io::Result<PathBuf> {
    let aside = beside(file, &format!(".damaged-{}", moment(SystemTime::now())));
    // First, so that nobody takes them for those of a new file.
    for end in ends {
        match std::fs::rename(beside(file, end), beside(&aside, end)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(file, &aside)?;
    Ok(aside)
}

/// A time for the name of a file, in UTC: `2026-11-26T013500`.
pub(super) fn moment(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H%M%S").to_string()
}

/// The text of an error: what cannot be done with the file, and what to do.
pub(super) fn cannot(path: &Path, done: &str, kind: ErrorKind) -> String {
    let advice = match kind {
        ErrorKind::PermissionDenied => ": check its owner and its permissions",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ": the disk is full, make room",
        ErrorKind::ReadOnlyFilesystem => ": choose a place that can be written to",
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
            ": choose another place"
        }
        _ => "",
    };
    format!("the file {} cannot be {done}{advice}", path.display())
}
