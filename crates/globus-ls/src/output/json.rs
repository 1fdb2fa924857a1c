//! One JSON document: that of Transfer, with the entries of all pages and directories.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Output, Sink};
use crate::entry::Entry;
use crate::failure::Failure;

pub(super) struct Json {
    sink: Sink,
    entries: u64,
    errors: Vec<Value>,
}

impl Json {
    pub(super) fn new(sink: Sink) -> Self {
        Self {
            sink,
            entries: 0,
            errors: Vec::new(),
        }
    }
}

impl Output for Json {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        let begin = match self.entries {
            0 => "{\n  \"DATA\": [\n    ",
            _ => ",\n    ",
        };
        self.entries += 1;
        self.sink.write(begin)?;
        self.sink.write(&pretty(&entry.into_document(), 4)?)
    }

    fn failed(&mut self, failure: &Failure) {
        let (path, message) = (failure.path(), failure.line());
        self.errors
            .push(json!({ "path": path, "message": message }));
    }

    fn end(&mut self, mut document: Map<String, Value>) -> io::Result<()> {
        self.sink.write(match self.entries {
            0 => "{\n  \"DATA\": []",
            _ => "\n  ]",
        })?;
        document.insert("length".to_owned(), self.entries.into());
        if !self.errors.is_empty() {
            let errors = std::mem::take(&mut self.errors);
            document.insert("errors".to_owned(), errors.into());
        }
        for (name, value) in &document {
            let (name, value) = (pretty(name, 2)?, pretty(value, 2)?);
            self.sink.write(&format!(",\n  {name}: {value}"))?;
        }
        self.sink.write("\n}\n")?;
        self.sink.flush()
    }
}

/// Pretty JSON with all lines but the first indented. Line ends within strings are escaped.
fn pretty(value: &impl Serialize, indent: usize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(text.replace('\n', &format!("\n{:indent$}", "")))
}
