//! JSON with the white space and escapes of Python, as the real services write it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// JSON on one line, such as `{"a": 1, "b": [2, 3]}`.
pub(super) fn line(document: &impl Serialize) -> String {
    written(document, None)
}

/// JSON indented by two spaces, with a line feed at the end, as Transfer writes documents.
pub(super) fn document(document: &impl Serialize) -> String {
    let mut text = written(document, Some(0));
    text.push('\n');
    text
}

fn written(document: &impl Serialize, depth: Option<usize>) -> String {
    let mut text = Vec::new();
    let python = Python {
        depth,
        has_value: false,
    };
    let mut serializer = Serializer::with_formatter(&mut text, python);
    // It cannot fail: all keys are strings, and a `Vec` takes all bytes.
    let _ = document.serialize(&mut serializer);
    String::from_utf8(text).unwrap_or_default()
}

/// A formatter that writes on one line, or indented if it has a depth.
struct Python {
    depth: Option<usize>,
    /// Whether the array or object that ends next has a value.
    has_value: bool,
}

impl Python {
    fn begin<W: ?Sized + Write>(&mut self, writer: &mut W, open: &[u8]) -> io::Result<()> {
        self.depth = self.depth.map(|depth| depth + 1);
        self.has_value = false;
        writer.write_all(open)
    }

    fn end<W: ?Sized + Write>(&mut self, writer: &mut W, close: &[u8]) -> io::Result<()> {
        self.depth = self.depth.map(|depth| depth.saturating_sub(1));
        if self.has_value {
            self.line_break(writer)?;
        }
        writer.write_all(close)
    }

    fn begin_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        match (first, self.depth) {
            (true, _) => {}
            (false, Some(_)) => writer.write_all(b",")?,
            (false, None) => writer.write_all(b", ")?,
        }
        self.line_break(writer)
    }

    fn line_break<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        const SPACES: &[u8] = b"                                ";
        let Some(depth) = self.depth else {
            return Ok(());
        };
        writer.write_all(b"\n")?;
        let mut left = 2 * depth;
        while left > 0 {
            let some = left.min(SPACES.len());
            writer.write_all(&SPACES[..some])?;
            left -= some;
        }
        Ok(())
    }
}

impl Formatter for Python {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    /// Escapes non-ASCII characters. `serde_json` escapes quotes, backslashes and control
    /// characters.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        text: &str,
    ) -> io::Result<()> {
        const DELETE: u8 = 0x7f;
        if text.bytes().all(|byte| byte < DELETE) {
            return writer.write_all(text.as_bytes());
        }
        for character in text.chars() {
            if character.is_ascii() && character != char::from(DELETE) {
                writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[checks::test]
    fn json_is_written_as_python_writes_it() {
        let value = json!({"b": [1, "ü𝄞\u{7f}"], "a": {}, "c": [], "d": "\"\\\n\u{1}/"});
        assert_eq!(
            line(&value),
            r#"{"a": {}, "b": [1, "\u00fc\ud834\udd1e\u007f"], "c": [], "d": "\"\\\n\u0001/"}"#
        );
        assert_eq!(
            document(&value),
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"\\u00fc\\ud834\\udd1e\\u007f\"\n  ],\n  \"c\": [],\n  \"d\": \"\\\"\\\\\\n\\u0001/\"\n}\n"
        );
    }
}
