//! Writes a listing to stdout, in one of five forms.

mod columns;
mod json;
mod jsonl;
mod lines;
mod long;
mod names;
mod sink;

use std::io::{self, IsTerminal};

use serde_json::{Map, Value};

use self::columns::Columns;
use self::json::Json;
use self::jsonl::JsonLines;
use self::lines::Lines;
use self::long::Long;
use self::names::Names;
use self::sink::Sink;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::options::{Format, Options};
use crate::terminal::Terminal;

/// Writes a listing in one form. Receives the entries one by one, in order.
pub(crate) trait Output: Send {
    fn sink(&mut self) -> &mut Sink;

    fn entry(&mut self, entry: Entry) -> io::Result<()>;

    /// A part of the listing failed. The caller prints the failure to stderr.
    fn failed(&mut self, _failure: &Failure) {}

    /// The listing ends. The document has the members of Transfer's JSON beside the entries.
    fn end(&mut self, _document: Map<String, Value>) -> io::Result<()> {
        self.flush()
    }

    /// Writes what is buffered: the next entry has not arrived yet.
    fn flush(&mut self) -> io::Result<()> {
        self.sink().flush()
    }
}

/// The output that the options select.
pub(crate) fn open(options: &Options, terminal: &Terminal) -> Box<dyn Output> {
    let args = &options.output;
    let stdout = io::stdout();
    let sink = Sink::new(terminal.clone());
    match args.format {
        Format::Json => Box::new(Json::new(sink)),
        Format::Jsonl => Box::new(JsonLines::new(sink)),
        Format::Text if args.long => Box::new(Long::new(sink, Names::of(&stdout), args)),
        // The names of a recursive listing are paths, which do not fit into columns.
        Format::Text if args.one || options.listing.recursive || !stdout.is_terminal() => {
            Box::new(Lines::new(sink, Names::of(&stdout)))
        }
        Format::Text => Box::new(Columns::new(sink, Names::of(&stdout))),
    }
}
