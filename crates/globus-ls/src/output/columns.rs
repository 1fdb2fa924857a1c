//! Names in columns, as wide as the terminal.

use std::io;

use serde_json::{Map, Value};
use term_grid::{Direction, Filling, Grid, GridOptions};

use super::{Names, Output, Sink};
use crate::entry::Entry;

/// The width if none is known, as for `ls`.
const DEFAULT_WIDTH: usize = 80;

pub(super) struct Columns {
    sink: Sink,
    names: Names,
    /// All names: the number of columns depends on each of them.
    cells: Vec<String>,
}

impl Columns {
    pub(super) fn new(sink: Sink, names: Names) -> Self {
        Self {
            sink,
            names,
            cells: Vec::new(),
        }
    }
}

impl Output for Columns {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.cells.push(self.names.shown(&entry));
        Ok(())
    }

    fn end(&mut self, _document: Map<String, Value>) -> io::Result<()> {
        let cells = std::mem::take(&mut self.cells);
        if !cells.is_empty() {
            let options = GridOptions {
                direction: Direction::TopToBottom,
                filling: Filling::Spaces(2),
                width: width(),
            };
            self.sink.write(&Grid::new(cells, options).to_string())?;
        }
        self.sink.flush()
    }
}

/// The width of the terminal, else `COLUMNS`.
fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size::terminal_size_of(io::stdout())
        .map(|(width, _)| usize::from(width.0))
        .or_else(columns)
        .filter(|width| *width > 0)
        .unwrap_or(DEFAULT_WIDTH)
}
