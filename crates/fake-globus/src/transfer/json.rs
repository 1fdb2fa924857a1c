//! JSON with the spaces, the order and the escapes that the real services' Python gives it.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// One line: `{"a": 1, "b": [2, 3]}`, keys sorted.
pub(super) fn line(value: &Value) -> String {
    write(value, OneLine)
}

/// Indented by two, keys sorted, with a newline at the end: how Transfer writes its documents.
pub(super) fn document(value: &Value) -> String {
    write(value, Indented(PrettyFormatter::new())) + "\n"
}

fn write<F: Formatter>(value: &Value, formatter: F) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut out = Vec::new();
    // Writing a value to memory cannot fail, and what is written is UTF-8.
    let _ = sorted.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    String::from_utf8(out).unwrap_or_default()
}

fn ascii<W: ?Sized + io::Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
    for character in fragment.chars() {
        if character.is_ascii() {
            write!(writer, "{character}")?;
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
    }
    Ok(())
}

struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        ascii(writer, fragment)
    }
}

struct Indented(PrettyFormatter<'static>);

impl Formatter for Indented {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        ascii(writer, fragment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[checks::test]
    fn json_is_written_as_python_writes_it() {
        let value = json!({"b": [1, "ü𝄞"], "a": {}, "c": []});
        assert_eq!(
            line(&value),
            r#"{"a": {}, "b": [1, "\u00fc\ud834\udd1e"], "c": []}"#
        );
        assert_eq!(
            document(&value),
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"\\u00fc\\ud834\\udd1e\"\n  ],\n  \"c\": []\n}\n"
        );
    }
}
