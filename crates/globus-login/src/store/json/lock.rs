//! Taking turns with other programs, by locks that the system ends with their holder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::fs_std::FileExt;

use super::super::{StoreError, StoreLock, Work};

/// How often it is looked whether a lock is free.
const PAUSE: Duration = Duration::from_millis(25);

/// How long others may take to write: far more than a file needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A note is a few names; whatever else stands in the file is not read.
const MAX_NOTE: u64 = 64 * 1024;

/// The lock for some work of a namespace: each has a file of its own.
pub(super) fn path(file: &Path, namespace: &str, work: Work) -> PathBuf {
    // A name is made of bytes that are safe everywhere; the others are written in hexadecimal.
    let name: String = namespace
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02x}"),
        })
        .collect();
    let work = match work {
        Work::Login => "login",
        Work::Renewal => "renewal",
    };
    beside(file, &format!(".{name}.{work}.lock"))
}

pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    file.with_file_name(name)
}

/// Waits for the lock without a thread, since a person may hold it for minutes.
pub(super) async fn wait(path: PathBuf) -> Result<Lock, StoreError> {
    loop {
        if let Some(lock) = Lock::attempt(&path)? {
            return Ok(lock);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for the lock of those who write.
pub(super) fn wait_to_write(file: &Path) -> Result<Lock, StoreError> {
    let path = beside(file, ".lock");
    let started = Instant::now();
    loop {
        if let Some(lock) = Lock::attempt(&path)? {
            return Ok(lock);
        }
        if started.elapsed() > PATIENCE {
            let path = path.display();
            return Err(StoreError::because(format!(
                "another program has held the lock {path} for {} seconds: end it, or remove the file",
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(PAUSE / 10);
    }
}

/// Ours until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    fn attempt(path: &Path) -> Result<Option<Self>, StoreError> {
        let failed = |error: io::Error| {
            StoreError::new(
                format!("the lock {} cannot be taken", path.display()),
                error,
            )
        };
        make_directory(path).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(failed)?;
        Ok(FileExt::try_lock_exclusive(&file)
            .map_err(failed)?
            .then_some(Self(file)))
    }
}

impl StoreLock for Lock {
    fn note(&self) -> Option<String> {
        let mut note = String::new();
        let mut file = &self.0;
        file.rewind().ok()?;
        file.take(MAX_NOTE).read_to_string(&mut note).ok()?;
        Some(note).filter(|note| !note.is_empty())
    }

    fn leave_note(&mut self, note: &str) -> Result<(), StoreError> {
        let mut write = || {
            self.0.set_len(0)?;
            self.0.rewind()?;
            self.0.write_all(note.as_bytes())
        };
        write().map_err(|error| StoreError::new("a lock cannot be written to", error))
    }
}

/// The directory of a file, closed to others where it is new.
pub(super) fn make_directory(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent().filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(());
    };
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}
