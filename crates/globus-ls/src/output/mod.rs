//! A listing on stdout.

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

/// A form of a listing. Entries come one by one, in the order in which they are listed.
pub(crate) trait Output {
    fn entry(&mut self, entry: Entry) -> io::Result<()>;

    /// A part of the listing failed. The user is told elsewhere.
    fn failed(&mut self, _failure: &Failure) {}

    /// The end, with what the service says beside the entries.
    fn end(&mut self, document: Map<String, Value>) -> io::Result<()>;

    /// Writes what there is: the next entry takes a while.
    fn flush(&mut self) -> io::Result<()>;
}

/// The output that the options name.
pub(crate) fn open(options: &Options, terminal: &Terminal) -> Box<dyn Output> {
    let show = &options.show;
    let stdout = io::stdout();
    let sink = Sink::new(terminal.clone());
    match show.format {
        Format::Json => Box::new(Json::new(sink)),
        Format::Jsonl => Box::new(JsonLines::new(sink)),
        Format::Text if show.long => Box::new(Long::new(sink, Names::of(&stdout), show)),
        // The names of a recursive listing are paths, and come directory by directory.
        Format::Text if show.one || options.what.recursive || !stdout.is_terminal() => {
            Box::new(Lines::new(sink, Names::of(&stdout)))
        }
        Format::Text => Box::new(Columns::new(sink, Names::of(&stdout))),
    }
}
