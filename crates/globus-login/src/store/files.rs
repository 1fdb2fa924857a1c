//! The files of stores on a disk: their names, and the texts of their errors.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
    format!("the token file {} cannot be {done}{advice}", path.display())
}
