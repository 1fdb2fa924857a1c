//! A directory on disk that no path can leave.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};

/// An open directory. `cap-std` resolves paths beneath it, and follows neither `..` nor a symbolic
/// link out of it.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(super) dir: Arc<Dir>,
}

/// An entry of a listing.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `file`, `dir`, `invalid_symlink` or `other`.
    pub(super) kind: &'static str,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    /// Four octal digits.
    pub(super) permissions: String,
    pub(super) link: Option<Link>,
}

/// The symbolic link of an entry.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) target: Option<String>,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Directory {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        Ok(Self {
            dir: Arc::new(Dir::open_ambient_dir(root, ambient_authority())?),
        })
    }

    /// The entries of the directory at `path`, unordered.
    pub(super) fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let below = self.dir.open_dir(beneath(path))?;
        let mut entries = Vec::new();
        for found in below.entries()? {
            let found = found?;
            let name = found.file_name();
            let shown = name.to_string_lossy().into_owned();
            let entry = found
                .metadata()
                .and_then(|own| entry(&below, Path::new(&name), own, shown));
            match entry {
                // The entry was removed after the directory was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                entry => entries.push(entry?),
            }
        }
        Ok(entries)
    }

    pub(super) fn stat(&self, path: &str) -> io::Result<Entry> {
        let path = beneath(path);
        let name = path.file_name().map_or_else(
            || "/".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        // A dangling link counts as missing.
        self.dir.metadata(path)?;
        let own = self.dir.symlink_metadata(path)?;
        entry(&self.dir, path, own, name)
    }

    /// The file at `path`, open.
    pub(crate) fn file(&self, path: &str) -> io::Result<File> {
        let (file, metadata) = self.open_regular(beneath(path))?;
        Ok(File {
            size: metadata.len(),
            modified: modified(&metadata),
            file,
        })
    }

    /// Opens a regular file. Checks the type first, because opening a FIFO waits for its other end.
    pub(super) fn open_regular(&self, path: &Path) -> io::Result<(cap_std::fs::File, Metadata)> {
        let metadata = self.dir.metadata(path)?;
        must_be_regular(&metadata)?;
        Ok((self.dir.open(path)?, metadata))
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = beneath(path);
        if let Ok(metadata) = self.dir.metadata(path) {
            must_be_regular(&metadata)?;
        }
        self.dir.write(path, content)
    }

    pub(crate) fn remove_file(&self, path: &str) -> io::Result<()> {
        self.dir.remove_file(beneath(path))
    }

    /// Renames `old` to `new`. An existing entry at `new` is an error. An error has the command of
    /// GridFTP that failed: `RNFR` for `old`, or `RNTO` for `new`.
    pub(super) fn rename(&self, old: &str, new: &str) -> Result<(), (&'static str, io::Error)> {
        let from = beneath(old.trim_end_matches('/'));
        let to = beneath(new.trim_end_matches('/'));
        let found = self.dir.symlink_metadata(from);
        found.map_err(|error| ("RNFR", error))?;
        if self.dir.symlink_metadata(to).is_ok() {
            return Err(("RNTO", io::ErrorKind::AlreadyExists.into()));
        }
        let renamed = self.dir.rename(from, &self.dir, to);
        renamed.map_err(|error| ("RNTO", error))
    }

    pub(super) fn create(&self, path: &str) -> io::Result<()> {
        self.dir.create_dir(beneath(path))
    }
}

/// A file opened for reading.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    file: cap_std::fs::File,
}

impl File {
    /// Reads `length` bytes from `start`, or fewer if the file has become shorter.
    pub(crate) fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))?;
        let mut content = Vec::new();
        file.take(length).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// Whether `cap-std` returned the error because a path leaves the directory. A denial by the
/// operating system has an error number.
pub(crate) fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// The path relative to the root of the collection. `/`, `/~/` and relative paths start there.
pub(super) fn beneath(path: &str) -> &Path {
    let path = path.trim_start_matches('/');
    let path = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/'),
        _ => path,
    };
    Path::new(if path.is_empty() { "." } else { path })
}

/// The entry at `path`. `own` is the metadata of the path itself, also if it is a link.
fn entry(dir: &Dir, path: &Path, own: Metadata, name: String) -> io::Result<Entry> {
    let is_link = own.file_type().is_symlink();
    // The target of a link, if it is inside the directory.
    let target = if is_link {
        dir.metadata(path).ok()
    } else {
        Some(own.clone())
    };
    let link = is_link.then(|| Link {
        target: dir
            .read_link_contents(path)
            .ok()
            .map(|target| target.to_string_lossy().into_owned()),
        size: own.len(),
        modified: modified(&own),
    });
    let shown = target.as_ref().unwrap_or(&own);
    let kind = match &target {
        None => "invalid_symlink",
        Some(target) if target.is_dir() => "dir",
        Some(target) if target.is_file() => "file",
        Some(_) => "other",
    };
    let size = shown.len();
    Ok(Entry {
        name,
        kind,
        size,
        modified: modified(shown),
        permissions: permissions(shown),
        link,
    })
}

fn must_be_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        let reason = "the path is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(())
}

pub(super) fn modified(metadata: &Metadata) -> SystemTime {
    metadata
        .modified()
        .map_or(UNIX_EPOCH, cap_std::time::SystemTime::into_std)
}

#[cfg(unix)]
fn permissions(metadata: &Metadata) -> String {
    use cap_std::fs::MetadataExt;
    format!("{:04o}", metadata.mode() & 0o7777)
}

#[cfg(not(unix))]
fn permissions(metadata: &Metadata) -> String {
    if metadata.permissions().readonly() {
        "0444".to_owned()
    } else {
        "0644".to_owned()
    }
}
