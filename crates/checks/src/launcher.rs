//! A program for `BROWSER` that opens no page, but sends its address to the test.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub struct Launcher {
    directory: TempDir,
    opened: UnboundedReceiver<String>,
}

impl Launcher {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pages");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >'{}'\n", pipe.display());
        let program = directory.path().join("browser");
        fs::write(&program, script).expect("a script");
        fs::set_permissions(&program, Permissions::from_mode(0o700)).expect("ours");
        // Also open for writing, so that the pipe does not end with each script.
        let pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .expect("a pipe");
        let (sender, opened) = unbounded_channel();
        std::thread::spawn(move || {
            for page in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(page).is_err() {
                    return;
                }
            }
        });
        Self { directory, opened }
    }

    /// The value for `BROWSER`.
    pub fn program(&self) -> PathBuf {
        self.directory.path().join("browser")
    }

    /// Waits for the next page that is opened.
    pub async fn page(&mut self) -> String {
        let page =
            tokio::time::timeout(std::time::Duration::from_secs(60), self.opened.recv()).await;
        page.expect("a browser opens").expect("a page")
    }

    /// Whether another page was opened so far.
    pub fn has_opened(&mut self) -> bool {
        self.opened.try_recv().is_ok()
    }
}
