//! JSON as Python's `json.dump` writes it: a space after each comma and colon, and ASCII alone.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::value::RawValue;

pub(super) fn to_text(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Python))?;
    String::from_utf8(text).map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

pub(super) fn to_raw(value: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(to_text(value)?)
}

struct Python;

impl Python {
    fn separate<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
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

    #[checks::test]
    fn json_is_written_as_python_writes_it() {
        let value = serde_json::json!({"a": ["é😀\n\u{7f}", 1], "b": {"c": null, "d": "\"\\/"}});
        // print(json.dumps({"a": ["é😀\n\x7f", 1], "b": {"c": None, "d": "\"\\/"}}))
        let python = r#"{"a": ["\u00e9\ud83d\ude00\n\u007f", 1], "b": {"c": null, "d": "\"\\/"}}"#;
        assert_eq!(to_text(&value).expect("text"), python);
    }
}
