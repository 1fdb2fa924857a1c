//! One JSON document a line, one line an entry.

use std::io;

use serde_json::{Map, Value};

use super::{Output, Sink};
use crate::entry::Entry;

pub(super) struct JsonLines {
    sink: Sink,
}

impl JsonLines {
    pub(super) fn new(sink: Sink) -> Self {
        Self { sink }
    }
}

impl Output for JsonLines {
    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.sink.write(&format!("{}\n", entry.into_document()))
    }

    fn end(&mut self, _document: Map<String, Value>) -> io::Result<()> {
        self.sink.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
