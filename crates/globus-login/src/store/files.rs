//! The files of stores on a disk: where they are, and what is said of them.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

/// The path of something beside a file: its name, with `suffix` at its end.
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

/// Renames what cannot be understood to `FILE.damaged-2026-11-26T013500`.
pub(super) fn put_aside(file: &Path) -> io::Result<PathBuf> {
    let aside = beside(file, &format!(".damaged-{}", moment(SystemTime::now())));
    std::fs::rename(file, &aside)?;
    Ok(aside)
}

/// A moment as a part of a name: `2026-11-26T013500`.
pub(super) fn moment(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H%M%S").to_string()
}

/// Says what cannot be done with a file, and what to do about it.
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
