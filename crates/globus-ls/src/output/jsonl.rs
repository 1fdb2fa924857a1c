//! One JSON document a line, one line an entry.

use std::io;

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
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.sink.write(&format!("{}\n", entry.into_document()))
    }
}
