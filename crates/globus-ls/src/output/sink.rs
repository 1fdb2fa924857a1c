//! A buffer for stdout that removes the spinner while it writes.

use std::io::{self, Write};

use crate::terminal::Terminal;

/// The size at which the buffer is written.
const BUFFER: usize = 32 * 1024;

/// A buffer for stdout.
pub(crate) struct Sink {
    text: Vec<u8>,
    terminal: Terminal,
}

impl Sink {
    pub(super) fn new(terminal: Terminal) -> Self {
        Self {
            text: Vec::new(),
            terminal,
        }
    }

    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        self.text.extend_from_slice(text.as_bytes());
        if self.text.len() < BUFFER {
            return Ok(());
        }
        self.flush()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = &self.text;
        let written = self.terminal.without_spinner(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text).and_then(|()| stdout.flush())
        });
        self.text.clear();
        written
    }
}
