//! JSON with the spaces, the order and the escapes that the real services' Python gives it.

use serde_json::Value;

/// One line: `{"a": 1, "b": [2, 3]}`, keys sorted.
pub(super) fn line(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.value(value, None);
    writer.out
}

/// Indented by two, keys sorted, with a newline at the end: how Transfer writes its documents.
pub(super) fn document(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.value(value, Some(0));
    writer.out.push('\n');
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
}

impl Writer {
    /// Writes on one line, or indented where a depth is given.
    fn value(&mut self, value: &Value, depth: Option<usize>) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Number(number) => self.out.push_str(&number.to_string()),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.sequence(['[', ']'], items, depth, |writer, item, depth| {
                    writer.value(item, depth);
                })
            }
            Value::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| *name);
                self.sequence(['{', '}'], sorted, depth, |writer, (name, value), depth| {
                    writer.string(name);
                    writer.out.push_str(": ");
                    writer.value(value, depth);
                });
            }
        }
    }

    fn sequence<I: IntoIterator<IntoIter: ExactSizeIterator>>(
        &mut self,
        [open, close]: [char; 2],
        items: I,
        depth: Option<usize>,
        write: impl Fn(&mut Self, I::Item, Option<usize>),
    ) {
        self.out.push(open);
        let items = items.into_iter();
        let is_empty = items.len() == 0;
        let below = depth.map(|depth| depth + 1);
        for (number, item) in items.enumerate() {
            if number > 0 {
                self.out.push_str(if depth.is_some() { "," } else { ", " });
            }
            self.line_break(below);
            write(self, item, below);
        }
        if !is_empty {
            self.line_break(depth);
        }
        self.out.push(close);
    }

    fn line_break(&mut self, depth: Option<usize>) {
        if let Some(depth) = depth {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    /// Copies runs of characters that need no escape.
    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        let needs_escape = |c: char| !(' '..='~').contains(&c) || matches!(c, '"' | '\\');
        while let Some(at) = rest.find(needs_escape) {
            self.out.push_str(&rest[..at]);
            let mut characters = rest[at..].chars();
            if let Some(character) = characters.next() {
                self.escape(character);
            }
            rest = characters.as_str();
        }
        self.out.push_str(rest);
        self.out.push('"');
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    self.out.push_str(&format!("\\u{unit:04x}"));
                }
                return;
            }
        };
        self.out.push_str(short);
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
