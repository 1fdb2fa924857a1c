//! One name a line.

use std::io;

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
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.sink.write(&(self.names.shown(&entry) + "\n"))
    }
}
