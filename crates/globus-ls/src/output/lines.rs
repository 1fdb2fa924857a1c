//! One name a line.

use std::io;

use serde_json::{Map, Value};

use super::{Names, Output, Sink};
use crate::entry::Entry;

pub(super) struct Lines {
    sink: Sink,
    names: Names,
}

impl Lines {
    pub(super) fn new(sink: Sink, names: Names) -> Self {
        Self { sink, names }
    }
}

impl Output for Lines {
    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.sink.write(&(self.names.shown(&entry) + "\n"))
    }

    fn end(&mut self, _document: Map<String, Value>) -> io::Result<()> {
        self.sink.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
